// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/yaml/scalars.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <string>

namespace freshet::pipeline {
namespace {

template <std::size_t n>
bool is_one_of(std::string_view text, const std::array<std::string_view, n>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

/// Reads a text from its start, one pattern element after the other.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  bool any_of(std::string_view characters) {
    if (rest_.empty() || characters.find(rest_.front()) == std::string_view::npos) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }
  std::size_t run_of(std::string_view characters, std::size_t most = std::string_view::npos) {
    std::size_t count = 0;
    while (count < most && any_of(characters)) {
      ++count;
    }
    return count;
  }
  bool digits(std::size_t least, std::size_t most) { return run_of("0123456789", most) >= least; }

 private:
  std::string_view rest_;
};

std::string_view without_sign(std::string_view text) {
  return !text.empty() && (text[0] == '-' || text[0] == '+') ? text.substr(1) : text;
}

/// The base that a prefix `0b`, `0o`, `0x` announces; 10 without one.
int base_of(std::string_view unsigned_text) {
  if (unsigned_text.starts_with("0b")) {
    return 2;
  }
  if (unsigned_text.starts_with("0o")) {
    return 8;
  }
  return unsigned_text.starts_with("0x") ? 16 : 10;
}

bool is_integer(std::string_view text) {
  text = without_sign(text);
  const int base = base_of(text);
  if (base != 10) {
    text.remove_prefix(2);
  } else if (text.starts_with('_')) {
    return false;
  }
  constexpr std::string_view k_digits = "0123456789abcdefABCDEF";
  const std::string_view allowed =
      base == 16 ? k_digits : k_digits.substr(0, static_cast<std::size_t>(base));
  bool has_digit = false;
  for (const char c : text) {
    if (c != '_' && allowed.find(c) == std::string_view::npos) {
      return false;
    }
    has_digit = has_digit || c != '_';
  }
  return has_digit && text.back() != '_';
}

bool is_special_float(std::string_view text) {
  constexpr std::array<std::string_view, 3> k_nan = {".nan", ".NaN", ".NAN"};
  constexpr std::array<std::string_view, 3> k_infinity = {".inf", ".Inf", ".INF"};
  return is_one_of(text, k_nan) || is_one_of(without_sign(text), k_infinity);
}

bool is_float(std::string_view text) {
  if (text.ends_with('_')) {
    return false;
  }
  if (is_special_float(text)) {
    return true;
  }
  constexpr std::string_view k_spaced_digits = "0123456789_";
  Cursor cursor(text);
  if (text.starts_with('.')) {
    cursor.any_of(".");
    if (cursor.run_of(k_spaced_digits) == 0) {
      return false;
    }
  } else {
    cursor.any_of("+-");
    if (!cursor.digits(1, 1)) {
      return false;
    }
    cursor.run_of(k_spaced_digits);
    if (cursor.any_of(".")) {
      cursor.run_of(k_spaced_digits);
    }
  }
  if (cursor.any_of("eE")) {
    cursor.any_of("+-");
    if (!cursor.digits(1, std::string_view::npos)) {
      return false;
    }
  }
  return cursor.at_end();
}

bool is_date(std::string_view text) {
  Cursor cursor(text);
  return cursor.digits(4, 4) && cursor.any_of("-") && cursor.digits(2, 2) && cursor.any_of("-") &&
         cursor.digits(2, 2) && cursor.at_end();
}

bool is_date_with_time(std::string_view text) {
  Cursor cursor(text);
  const bool has_date = cursor.digits(4, 4) && cursor.any_of("-") && cursor.digits(1, 2) &&
                        cursor.any_of("-") && cursor.digits(1, 2);
  if (!has_date || !(cursor.any_of("Tt") || cursor.run_of(" \t") > 0)) {
    return false;
  }
  const bool has_time = cursor.digits(1, 2) && cursor.any_of(":") && cursor.digits(2, 2) &&
                        cursor.any_of(":") && cursor.digits(2, 2);
  if (!has_time) {
    return false;
  }
  if (cursor.any_of(".")) {
    cursor.digits(0, std::string_view::npos);
  }
  cursor.run_of(" \t");
  if (cursor.at_end() || cursor.any_of("Z")) {
    return cursor.at_end();
  }
  if (!cursor.any_of("+-") || !cursor.digits(1, 2)) {
    return false;
  }
  return cursor.at_end() || (cursor.any_of(":") && cursor.digits(2, 2) && cursor.at_end());
}

}  // namespace

YamlKind resolve_plain_scalar(std::string_view text) {
  constexpr std::array<std::string_view, 5> k_null = {"", "~", "null", "Null", "NULL"};
  constexpr std::array<std::string_view, 6> k_boolean = {
      "true", "True", "TRUE", "false", "False", "FALSE"};
  if (is_one_of(text, k_null)) {
    return YamlKind::null;
  }
  if (is_one_of(text, k_boolean)) {
    return YamlKind::boolean;
  }
  if (is_integer(text) || is_float(text)) {
    return YamlKind::number;
  }
  return is_date(text) || is_date_with_time(text) ? YamlKind::timestamp : YamlKind::string;
}

std::optional<double> number_value(std::string_view text) {
  if (is_special_float(text)) {
    return text.ends_with('n') || text.ends_with('N') ? std::numeric_limits<double>::quiet_NaN()
           : text.starts_with('-')                    ? -std::numeric_limits<double>::infinity()
                                                      : std::numeric_limits<double>::infinity();
  }
  if (!is_integer(text) && !is_float(text)) {
    return std::nullopt;
  }
  const double sign = text.starts_with('-') ? -1 : 1;
  std::string digits(without_sign(text));
  std::erase(digits, '_');
  const int base = base_of(digits);
  if (base != 10) {
    double value = 0;
    for (const char c : std::string_view(digits).substr(2)) {
      const int letter = (c | 0x20) - 'a' + 10;
      value = value * base + (c <= '9' ? c - '0' : letter);
    }
    return sign * value;
  }
  double value = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (failure == std::errc::result_out_of_range) {
    return sign * std::numeric_limits<double>::infinity();
  }
  return failure == std::errc() ? std::optional(sign * value) : std::nullopt;
}

}  // namespace freshet::pipeline
