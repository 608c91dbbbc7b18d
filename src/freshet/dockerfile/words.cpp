// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/words.hpp"

#include "freshet/dockerfile/characters.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace freshet::dockerfile {
namespace {

constexpr std::string_view k_blanks = "\t\v\f\r ";

}  // namespace

void LogicalLine::append(std::string_view piece, int line, int column) {
  pieces_.push_back({text_.size(), line, column});
  text_ += piece;
}

SourcePosition LogicalLine::position_of(std::size_t offset) const {
  const auto next = std::ranges::upper_bound(pieces_, offset, {}, &Piece::offset);
  if (next == pieces_.begin()) {
    return {file_, 0, 0};
  }
  const Piece& piece = *std::prev(next);
  return {file_, piece.line, piece.column + static_cast<int>(offset - piece.offset)};
}

SourcePosition LogicalLine::position_of(std::string_view part) const {
  return position_of(static_cast<std::size_t>(part.data() - text_.data()));
}

std::pair<std::string_view, std::string_view> cut_word(std::string_view text) {
  const std::size_t end = std::min(text.find_first_of(k_blanks), text.size());
  const std::size_t next = std::min(text.find_first_not_of(k_blanks, end), text.size());
  return {text.substr(0, end), text.substr(next)};
}

Word WordReader::word(std::string text, std::size_t size_left) const {
  return {std::move(text), line_.position_of(rest_.substr(rest_.size() - size_left))};
}

std::vector<Word> WordReader::take_flags() {
  std::vector<Word> flags;
  rest_ = trim_start(rest_);
  while (rest_.starts_with("--")) {
    const SourcePosition at = line_.position_of(rest_);
    std::string flag;
    char quote = '\0';
    bool has_quotes = false;
    std::size_t i = 0;
    for (; i < rest_.size(); ++i) {
      const char c = rest_[i];
      if (quote == '\0' && is_space(static_cast<unsigned char>(c))) {
        break;
      }
      if (c == quote) {
        quote = '\0';
      } else if (quote == '\0' && (c == '\'' || c == '"')) {
        quote = c;
        has_quotes = true;
      } else if (c != escape_) {
        flag += c;
      } else if (i + 1 < rest_.size()) {
        flag += rest_[++i];
      }
    }
    rest_ = trim_start(rest_.substr(i));
    if (flag == "--") {
      break;
    }
    if (has_quotes || !flag.empty()) {
      flags.push_back({std::move(flag), at});
    }
  }
  rest_ = trim_spaces(rest_);
  return flags;
}

std::vector<Word> WordReader::split_blanks() const {
  std::vector<Word> words;
  std::string_view left = rest_;
  while (!left.empty()) {
    const auto [next, rest] = cut_word(left);
    words.push_back(word(std::string(next), left.size()));
    left = rest;
  }
  return words;
}

std::vector<Word> WordReader::split_quoted() const {
  std::vector<Word> words;
  std::string_view left = trim_start(rest_);
  while (!left.empty()) {
    const std::size_t start = left.size();
    std::string text;
    char quote = '\0';
    while (!left.empty()) {
      const Character next = first_character(left);
      if (quote == '\0' && is_space(next.value)) {
        break;
      }
      std::string_view part = left.substr(0, next.size);
      const char c = part.front();
      if (c == escape_ && quote != '\'') {
        // The next character is text, whatever it is; an escape at the very end is nothing.
        const std::size_t size = first_character(left.substr(1)).size;
        part = size == 0 ? std::string_view() : left.substr(0, 1 + size);
        left.remove_prefix(1 + size);
      } else {
        quote = c == quote ? '\0' : quote == '\0' && (c == '\'' || c == '"') ? c : quote;
        left.remove_prefix(next.size);
      }
      text += part;
    }
    if (!text.empty()) {
      words.push_back(word(std::move(text), start));
    }
    left = trim_start(left);
  }
  return words;
}

std::variant<JsonProblem, std::vector<std::string>> parse_json_texts(std::string_view text) {
  text = trim_start(text);
  if (!text.starts_with('[')) {
    return JsonProblem::not_json;
  }
  boost::json::parse_options options;
  options.allow_invalid_utf8 = true;
  boost::json::error_code error;
  const boost::json::value value =
      boost::json::parse({text.data(), text.size()}, error, {}, options);
  if (error) {
    return JsonProblem::not_json;
  }
  std::vector<std::string> texts;
  for (const boost::json::value& item : value.as_array()) {
    if (!item.is_string()) {
      return JsonProblem::not_texts;
    }
    texts.emplace_back(item.as_string());
  }
  return texts;
}

}  // namespace freshet::dockerfile
