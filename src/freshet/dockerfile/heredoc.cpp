// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/heredoc.hpp"

#include "freshet/dockerfile/characters.hpp"
#include "freshet/dockerfile/expand.hpp"

#include <algorithm>

namespace freshet::dockerfile {
namespace {

/// In the words of here-documents no variable is set and the backslash escapes, whatever the
/// file's own escape character.
std::vector<std::string> words_of(
    std::string_view text, bool is_raw, bool keeps_escapes, Budget& budget) {
  const FindVariable none = [](std::string_view) { return nullptr; };
  const ExpandRules rules{
      .keeps_quotes = is_raw, .keeps_escapes = keeps_escapes, .keeps_unset = true};
  return expand(text, none, rules, budget).words;
}

auto count_quotes(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return c == '\'' || c == '"'; });
}

}  // namespace

bool Heredoc::is_ended_by(std::string_view line) const {
  if (strips_tabs) {
    line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
  }
  return line == name;
}

std::string Heredoc::effective_content() const {
  if (!strips_tabs) {
    return content;
  }
  std::string out;
  for (std::size_t at = 0; at < content.size();) {
    at = std::min(content.find_first_not_of('\t', at), content.size());
    const std::size_t end = std::min(content.find('\n', at), content.size() - 1) + 1;
    out += content.substr(at, end - at);
    at = end;
  }
  return out;
}

std::optional<Heredoc> parse_heredoc(std::string_view word, Budget& budget) {
  const auto is_number = [](char c) { return c >= '0' && c <= '9'; };
  word.remove_prefix(
      static_cast<std::size_t>(std::ranges::find_if_not(word, is_number) - word.begin()));
  if (!word.starts_with("<<")) {
    return std::nullopt;
  }
  word.remove_prefix(2);
  Heredoc heredoc;
  heredoc.strips_tabs = word.starts_with('-');
  word.remove_prefix(heredoc.strips_tabs ? 1 : 0);
  word.remove_prefix(std::min(word.find_first_not_of("\t\n\f\r "), word.size()));
  if (word.find('<') != std::string_view::npos) {
    return std::nullopt;
  }
  std::vector<std::string> names = words_of(word, false, false, budget);
  if (names.size() != 1) {
    return std::nullopt;
  }
  const std::vector<std::string> written = words_of(word, true, false, budget);
  heredoc.name = std::move(names.front());
  heredoc.expands =
      written.size() == 1 && count_quotes(heredoc.name) == count_quotes(written.front());
  return heredoc;
}

std::vector<Heredoc> find_heredocs(std::string_view text, Budget& budget) {
  std::vector<Heredoc> heredocs;
  std::vector<std::string> words;
  try {
    words = words_of(text, true, true, budget);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::invalid_input) {
      throw;
    }
    return {};  // words of a shell that we do not understand open nothing
  }
  for (const std::string& word : words) {
    if (std::optional<Heredoc> heredoc = parse_heredoc(word, budget)) {
      heredocs.push_back(std::move(*heredoc));
    }
  }
  return heredocs;
}

}  // namespace freshet::dockerfile
