// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/yaml/syntax.hpp"

#include "freshet/base/text.hpp"

#include <fmt/format.h>
#include <yaml-cpp/exceptions.h>

#include <algorithm>
#include <array>
#include <vector>

namespace freshet::pipeline {
namespace {

struct Explanation {
  std::string_view reason;  // a message of the parser starts with it
  std::string_view message;
  std::string_view hint;
};

constexpr std::string_view k_quote_it = "put the text in quotes";
constexpr std::string_view k_check_indentation =
    "indent it like the lines that it belongs to; the continuation of a text goes deeper than its "
    "key or '-'";

const std::vector<Explanation>& explanations() {
  using namespace YAML::ErrorMsg;
  static const std::vector<Explanation> table = {
      {END_OF_MAP_FLOW,
       "'{' has no matching '}'",
       "text that starts with '{' must be put in quotes"},
      {END_OF_SEQ_FLOW,
       "'[' has no matching ']'",
       "text that starts with '[' must be put in quotes"},
      {END_OF_MAP, "this line fits into none of the maps above it", k_check_indentation},
      {END_OF_SEQ, "this line is not a part of the list above it", k_check_indentation},
      {FLOW_END, "this bracket closes nothing", k_quote_it},
      {BLOCK_ENTRY, "a list item cannot start here", k_check_indentation},
      {MAP_KEY, "a key cannot start here", k_check_indentation},
      {MAP_VALUE, "a key with a value cannot stand here", k_check_indentation},
      {EOF_IN_SCALAR, "a quote is opened and never closed", ""},
      {DOC_IN_SCALAR, "'---' or '...' stands inside quoted text", ""},
      {ALIAS_NOT_FOUND, "'*' starts an alias, but no name follows", k_quote_it},
      {CHAR_IN_ALIAS, "this character cannot be in the name of an alias", k_quote_it},
      {ANCHOR_NOT_FOUND, "'&' starts an anchor, but no name follows", k_quote_it},
      {CHAR_IN_ANCHOR, "this character cannot be in the name of an anchor", k_quote_it},
      {UNKNOWN_ANCHOR, "no anchor of this name stands above", k_quote_it},
      {INVALID_ESCAPE,
       "unknown escape in double quotes",
       "write '\\\\' for a backslash, or use single quotes"},
      {INVALID_HEX, "this escape needs hexadecimal digits", ""},
      {INVALID_UNICODE, "this escape names no character", ""},
      {TAB_IN_INDENTATION, "a tab is used as indentation", "use blanks"},
      {CHAR_IN_BLOCK,
       "this does not belong behind '|' or '>'",
       "start the text on the next line, indented"},
      {UNKNOWN_TOKEN, "text cannot start with this character", k_quote_it},
  };
  return table;
}

std::string_view line_of(std::string_view text, int line) {
  text.remove_prefix(offset_at(text, {line, 1}));
  return text.substr(0, text.find('\n'));
}

/// The place of a tab in front of the first visible character of a line.
std::optional<YamlPlace> indenting_tab(std::string_view text, int line) {
  const std::string_view content = line_of(text, line);
  const std::string_view indentation = content.substr(0, content.find_first_not_of(" \t"));
  const std::size_t tab = indentation.find('\t');
  if (tab == std::string_view::npos || indentation.size() == content.size()) {
    return std::nullopt;
  }
  return YamlPlace{line, static_cast<int>(tab) + 1};
}

/// Whether a `: ` in front of the column has already made a key of this line.
bool has_key_before(std::string_view line, int column) {
  line = line.substr(0, static_cast<std::size_t>(std::max(0, column - 1)));
  return line.find(": ") != std::string_view::npos;
}

/// Whether the parser gave up behind a value that had ended: `'build',` or `[a] b`.
bool is_behind_value(std::string_view reason, std::string_view line, int column) {
  if (!reason.starts_with(YAML::ErrorMsg::END_OF_MAP) &&
      !reason.starts_with(YAML::ErrorMsg::END_OF_SEQ)) {
    return false;
  }
  line = trim(line.substr(0, static_cast<std::size_t>(std::max(0, column - 1))));
  return line.ends_with('\'') || line.ends_with('"') || line.ends_with(']') || line.ends_with('}');
}

std::size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) {
    return 1;
  }
  if (lead >= 0xC2 && lead <= 0xDF) {
    return 2;
  }
  if (lead >= 0xE0 && lead <= 0xEF) {
    return 3;
  }
  return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

/// The code point at the start of `text` and its length; length 0 when it is not UTF-8.
std::pair<char32_t, std::size_t> decode(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t length = sequence_length(lead);
  if (length == 0 || text.size() < length) {
    return {0, 0};
  }
  char32_t code = length == 1 ? lead : lead & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xC0) != 0x80) {
      return {0, 0};
    }
    code = (code << 6) | (next & 0x3F);
  }
  constexpr std::array<char32_t, 5> k_least = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < k_least[length] || is_surrogate || code > 0x10FFFF) {
    return {0, 0};
  }
  return {code, length};
}

bool is_control(char32_t code) {
  const bool is_break = code == '\t' || code == '\n' || code == '\r';
  return (code < 0x20 && !is_break) || (code >= 0x7F && code < 0xA0 && code != 0x85) ||
         code == 0xFFFE || code == 0xFFFF;
}

}  // namespace

YamlPlace place_at(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t line_break = before.rfind('\n');
  const std::size_t start = line_break == std::string_view::npos ? 0 : line_break + 1;
  return {
      static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
      static_cast<int>(offset - start) + 1};
}

std::size_t offset_at(std::string_view text, YamlPlace place) {
  std::size_t start = 0;
  for (int line = 1; line < place.line; ++line) {
    const std::size_t end = text.find('\n', start);
    if (end == std::string_view::npos) {
      return text.size();
    }
    start = end + 1;
  }
  return std::min(text.size(), start + static_cast<std::size_t>(place.column - 1));
}

std::optional<SyntaxFinding> find_unreadable(std::string_view text) {
  for (std::size_t offset = 0; offset < text.size();) {
    const auto [code, length] = decode(text.substr(offset));
    if (length == 0) {
      return SyntaxFinding{
          place_at(text, offset),
          fmt::format("byte 0x{:02x} is not UTF-8", static_cast<unsigned char>(text[offset])),
          "save the file as UTF-8"};
    }
    if (is_control(code)) {
      return SyntaxFinding{
          place_at(text, offset),
          fmt::format("the control character U+{:04X} is not allowed", static_cast<unsigned>(code)),
          "in double quotes it can be written as an escape"};
    }
    if (code == '\r' && !text.substr(offset).starts_with("\r\n")) {
      return SyntaxFinding{
          place_at(text, offset),
          "a carriage return without line feed is not allowed",
          "save the file with the line breaks of Unix or Windows"};
    }
    offset += length;
  }
  return std::nullopt;
}

bool has_curly_quotes(std::string_view text) {
  constexpr std::array<std::string_view, 6> k_curly = {"‘", "’", "“", "”", "„", "‚"};
  return std::any_of(k_curly.begin(), k_curly.end(), [&](std::string_view quote) {
    return text.find(quote) != std::string_view::npos;
  });
}

SyntaxFinding explain_syntax_error(std::string_view reason, YamlPlace at, std::string_view text) {
  for (const int line : {at.line, at.line - 1}) {
    if (const auto tab = line > 0 ? indenting_tab(text, line) : std::nullopt) {
      return {*tab, "a tab is used as indentation", "use blanks"};
    }
  }
  const std::string_view line = line_of(text, at.line);
  if (reason.starts_with(YAML::ErrorMsg::MAP_VALUE) && has_key_before(line, at.column)) {
    return {
        at,
        "': ' cannot stand in unquoted text",
        "put the text in quotes, or write '|' and the text on the next line, indented"};
  }
  if (is_behind_value(reason, line, at.column)) {
    return {
        at,
        "this stands behind the end of a value",
        "remove it, or put the whole value into one pair of quotes"};
  }
  const auto& table = explanations();
  const auto found = std::find_if(table.begin(), table.end(), [&](const Explanation& candidate) {
    return reason.starts_with(candidate.reason);
  });
  SyntaxFinding finding{at, std::string(reason), ""};
  if (found != table.end()) {
    finding.message = found->message;
    finding.hint = found->hint;
  }
  if (has_curly_quotes(line)) {
    finding.hint = "the line holds curly quotes, use straight ones: ' or \"";
  }
  return finding;
}

}  // namespace freshet::pipeline
