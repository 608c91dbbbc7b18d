// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/duration.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace freshet::dockerfile {
namespace {

/// Takes a number such as `1`, `1.5` or `.5`.
std::optional<long double> take_number(std::string_view& text) {
  const std::size_t size = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::string digits(text.substr(0, size));
  text.remove_prefix(size);
  const bool has_digit = digits.find_first_not_of('.') != std::string::npos;
  if (!has_digit || std::ranges::count(digits, '.') > 1) {
    return std::nullopt;
  }
  return std::stold(digits);
}

std::optional<long double> take_unit(std::string_view& text) {
  using Unit = std::pair<std::string_view, long double>;
  // Longer names first: `ms` begins like `m`.
  constexpr std::array<Unit, 8> k_units{
      {{"ns", 1.0L},
       {"us", 1e3L},
       {"\xC2\xB5s", 1e3L},
       {"\xCE\xBCs", 1e3L},
       {"ms", 1e6L},
       {"s", 1e9L},
       {"m", 60e9L},
       {"h", 3600e9L}}};
  for (const auto& [name, nanoseconds] : k_units) {
    if (text.starts_with(name)) {
      text.remove_prefix(name.size());
      return nanoseconds;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  constexpr long double k_longest = 9.2e18L;
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) {
    text.remove_prefix(1);
  }
  if (text == "0") {
    return std::chrono::nanoseconds(0);
  }
  if (text.empty() || text.size() > 64) {
    return std::nullopt;
  }
  long double sum = 0;
  while (!text.empty()) {
    const auto number = take_number(text);
    const auto unit = number ? take_unit(text) : std::nullopt;
    if (!unit) {
      return std::nullopt;
    }
    sum += *number * *unit;
  }
  if (sum > k_longest) {
    return std::nullopt;
  }
  return std::chrono::nanoseconds(static_cast<std::int64_t>(is_negative ? -sum : sum));
}

}  // namespace freshet::dockerfile
