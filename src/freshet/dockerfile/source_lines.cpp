// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/source_lines.hpp"

#include "freshet/base/text.hpp"
#include "freshet/dockerfile/characters.hpp"

#include <algorithm>

namespace freshet::dockerfile {
namespace {

constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";
constexpr std::string_view k_spaces = "\t\n\f\r ";

bool is_ascii_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

}  // namespace

SourceLines::SourceLines(std::string_view text) : rest_(text) {
  if (rest_.starts_with(k_byte_order_mark)) {
    rest_.remove_prefix(k_byte_order_mark.size());
  }
}

std::optional<std::string_view> SourceLines::next() {
  if (rest_.empty()) {
    return std::nullopt;
  }
  const std::size_t size = std::min(rest_.find('\n'), rest_.size() - 1) + 1;
  const std::string_view line = rest_.substr(0, size);
  rest_.remove_prefix(size);
  ++number_;
  return line;
}

std::string_view without_line_break(std::string_view line) {
  return line.substr(0, line.find_last_not_of("\r\n") + 1);
}

std::optional<DirectiveReader::Found> DirectiveReader::read(std::string_view line) {
  if (is_over_ || !line.starts_with(sign_)) {
    is_over_ = true;
    return std::nullopt;
  }
  line = trim_start(line.substr(sign_.size()));
  is_over_ = true;  // unless the rest fits
  const auto* const name_end = std::ranges::find_if_not(
      line, [](char c) { return is_ascii_letter(c) || is_digit(static_cast<unsigned char>(c)); });
  const std::string_view name = line.substr(0, static_cast<std::size_t>(name_end - line.begin()));
  line.remove_prefix(name.size());
  line.remove_prefix(std::min(line.find_first_not_of(k_spaces), line.size()));
  if (name.empty() || !is_ascii_letter(name.front()) || !line.starts_with('=')) {
    return std::nullopt;
  }
  line.remove_prefix(1);
  line.remove_prefix(std::min(line.find_first_not_of(k_spaces), line.size()));
  line = line.substr(0, line.find_last_not_of(k_spaces) + 1);
  const std::string lower = to_lower(name);
  const bool is_known = lower == "syntax" || lower == "escape" || lower == "check";
  if (line.empty() || !(is_known || takes_any_name_)) {
    return std::nullopt;
  }
  is_over_ = false;
  return Found{name, line};
}

}  // namespace freshet::dockerfile
