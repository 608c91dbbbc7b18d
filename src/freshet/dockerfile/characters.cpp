// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/characters.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace freshet::dockerfile {
namespace {

using Range = std::pair<char32_t, char32_t>;

template <std::size_t n>
bool is_within(const std::array<Range, n>& ranges, char32_t character) {
  return std::ranges::any_of(ranges, [&](const Range& range) {
    return character >= range.first && character <= range.second;
  });
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

}  // namespace

Character first_character(std::string_view text) {
  if (text.empty()) {
    return {};
  }
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t size = lead < 0x80   ? 1
                           : lead < 0xC2 ? 0
                           : lead < 0xE0 ? 2
                           : lead < 0xF0 ? 3
                                         : 4;
  if (size == 1) {
    return {lead, 1};
  }
  const std::string_view rest = text.substr(1, size == 0 ? 0 : size - 1);
  if (size == 0 || lead > 0xF4 || rest.size() + 1 != size ||
      !std::ranges::all_of(rest, is_continuation)) {
    return {0xFFFD, 1};
  }
  char32_t value = lead & (0xFFU >> (size + 1));
  for (const char c : rest) {
    value = value << 6 | (static_cast<unsigned char>(c) & 0x3FU);
  }
  return {value, size};
}

bool is_space(char32_t character) {
  constexpr std::array<Range, 7> k_spaces{
      {{0x09, 0x0D},
       {0x20, 0x20},
       {0x85, 0x85},
       {0xA0, 0xA0},
       {0x2000, 0x200A},
       {0x2028, 0x2029},
       {0x3000, 0x3000}}};
  return is_within(k_spaces, character) || character == 0x1680 || character == 0x202F ||
         character == 0x205F;
}

bool is_letter(char32_t character) {
  constexpr std::array<Range, 17> k_letters{
      {{'A', 'Z'},
       {'a', 'z'},
       {0xC0, 0xD6},
       {0xD8, 0xF6},
       {0xF8, 0x2C1},
       {0x386, 0x386},
       {0x388, 0x3FF},
       {0x400, 0x481},
       {0x48A, 0x52F},
       {0x5D0, 0x5EA},
       {0x620, 0x64A},
       {0x904, 0x939},
       {0xE01, 0xE30},
       {0x1E00, 0x1EFF},
       {0x3041, 0x30FA},
       {0x4E00, 0x9FFF},
       {0xAC00, 0xD7A3}}};
  return is_within(k_letters, character);
}

bool is_digit(char32_t character) {
  return character >= '0' && character <= '9';
}

std::string_view trim_start(std::string_view text) {
  Character next = first_character(text);
  while (next.size > 0 && is_space(next.value)) {
    text.remove_prefix(next.size);
    next = first_character(text);
  }
  return text;
}

std::string_view trim_spaces(std::string_view text) {
  text = trim_start(text);
  while (!text.empty()) {
    std::size_t start = text.size() - 1;
    while (start > 0 && text.size() - start < 4 && is_continuation(text[start])) {
      --start;
    }
    const Character last = first_character(text.substr(start));
    if (last.size != text.size() - start || !is_space(last.value)) {
      break;
    }
    text.remove_suffix(last.size);
  }
  return text;
}

std::string to_upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return out;
}

}  // namespace freshet::dockerfile
