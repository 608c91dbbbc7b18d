// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/heredoc.hpp"

#include <algorithm>
#include <optional>

namespace freshet::dockerfile {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// The words of a shell command with their quotes and escapes in place.
std::vector<std::string> raw_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == '\0' && is_blank(c)) {
      if (!word.empty()) {
        words.push_back(std::move(word));
        word.clear();
      }
      continue;
    }
    word += c;
    if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
      word += text[++i];
    } else if (quote == c) {
      quote = '\0';
    } else if (quote == '\0' && (c == '\'' || c == '"')) {
      quote = c;
    }
  }
  if (!word.empty()) {
    words.push_back(std::move(word));
  }
  return words;
}

std::string without_quotes(std::string_view word) {
  std::string out;
  char quote = '\0';
  for (std::size_t i = 0; i < word.size(); ++i) {
    const char c = word[i];
    if (c == '\\' && quote != '\'' && i + 1 < word.size()) {
      out += word[++i];
    } else if (quote == c) {
      quote = '\0';
    } else if (quote == '\0' && (c == '\'' || c == '"')) {
      quote = c;
    } else {
      out += c;
    }
  }
  return out;
}

std::optional<Heredoc> heredoc_of(std::string_view word) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  word.remove_prefix(std::find_if_not(word.begin(), word.end(), is_digit) - word.begin());
  if (!word.starts_with("<<")) {
    return std::nullopt;
  }
  word.remove_prefix(2);
  Heredoc heredoc;
  heredoc.strips_tabs = word.starts_with('-');
  word.remove_prefix(heredoc.strips_tabs ? 1 : 0);
  if (word.empty() || word.find('<') != std::string_view::npos) {
    return std::nullopt;
  }
  heredoc.terminator = without_quotes(word);
  return heredoc;
}

}  // namespace

bool Heredoc::is_ended_by(std::string_view line) const {
  if (strips_tabs) {
    line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
  }
  return line == terminator;
}

std::vector<Heredoc> find_heredocs(std::string_view text) {
  std::vector<Heredoc> heredocs;
  for (const std::string& word : raw_words(text)) {
    if (std::optional<Heredoc> heredoc = heredoc_of(word)) {
      heredocs.push_back(std::move(*heredoc));
    }
  }
  return heredocs;
}

}  // namespace freshet::dockerfile
