// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/retry.hpp"

#include "freshet/base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace freshet::net {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;  // not system_clock's own unit, in which the year 9999 overflows
using std::chrono::system_clock;

constexpr seconds k_longest_wait = std::chrono::hours(24);

constexpr std::array<std::string_view, 12> k_months{
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> k_days{
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};

bool is_digit(char character) {
  return character >= '0' && character <= '9';
}

/// Reads a date from left to right; once something does not fit, everything after fails.
class DateReader {
 public:
  explicit DateReader(std::string_view text) : rest_(text) {}

  bool is_complete() const { return fits_ && rest_.empty(); }

  void skip(std::string_view expected) {
    fits_ = fits_ && rest_.starts_with(expected);
    if (fits_) {
      rest_.remove_prefix(expected.size());
    }
  }
  /// One of `words`, each cut to `length` letters when that is not 0; counted from 0.
  template <std::size_t N>
  int word(const std::array<std::string_view, N>& words, std::size_t length = 0) {
    for (std::size_t i = 0; fits_ && i < N; ++i) {
      const std::string_view word = length == 0 ? words[i] : words[i].substr(0, length);
      if (rest_.starts_with(word)) {
        rest_.remove_prefix(word.size());
        return static_cast<int>(i);
      }
    }
    fits_ = false;
    return 0;
  }
  /// Exactly `digits` digits; the first may be a space when `is_padded`.
  int number(std::size_t digits, bool is_padded = false) {
    int value = 0;
    fits_ = fits_ && rest_.size() >= digits;
    for (std::size_t i = 0; fits_ && i < digits; ++i) {
      const char character = is_padded && i == 0 && rest_[i] == ' ' ? '0' : rest_[i];
      fits_ = is_digit(character);
      value = value * 10 + (character - '0');
    }
    if (fits_) {
      rest_.remove_prefix(digits);
    }
    return value;
  }
  seconds time_of_day() {
    const int hour = number(2);
    skip(":");
    const int minute = number(2);
    skip(":");
    const int second = number(2);
    fits_ = fits_ && hour < 24 && minute < 60 && second <= 60;  // 60: a leap second
    return std::chrono::hours(hour) + std::chrono::minutes(minute) + seconds(second);
  }

 private:
  std::string_view rest_;
  bool fits_ = true;
};

std::optional<sys_seconds> moment_of(
    const DateReader& reader, int year, int month, int day, seconds time) {
  const std::chrono::year_month_day date{
      std::chrono::year(year),
      std::chrono::month(static_cast<unsigned>(month + 1)),
      std::chrono::day(static_cast<unsigned>(day))};
  if (!reader.is_complete() || !date.ok()) {
    return std::nullopt;
  }
  return std::chrono::sys_days(date) + time;
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
std::optional<sys_seconds> parse_fixed_date(std::string_view text) {
  DateReader reader(text);
  reader.word(k_days, 3);
  reader.skip(", ");
  const int day = reader.number(2);
  reader.skip(" ");
  const int month = reader.word(k_months);
  reader.skip(" ");
  const int year = reader.number(4);
  reader.skip(" ");
  const seconds time = reader.time_of_day();
  reader.skip(" GMT");
  return moment_of(reader, year, month, day, time);
}

/// `Sunday, 06-Nov-94 08:49:37 GMT`; a year that seems more than 50 years ahead is of the past.
std::optional<sys_seconds> parse_two_digit_date(
    std::string_view text, system_clock::time_point now) {
  DateReader reader(text);
  reader.word(k_days);
  reader.skip(", ");
  const int day = reader.number(2);
  reader.skip("-");
  const int month = reader.word(k_months);
  reader.skip("-");
  const int short_year = reader.number(2);
  reader.skip(" ");
  const seconds time = reader.time_of_day();
  reader.skip(" GMT");
  const std::chrono::year_month_day today{std::chrono::floor<std::chrono::days>(now)};
  const int this_year = int{today.year()};
  int year = this_year - this_year % 100 + short_year;
  if (year > this_year + 50) {
    year -= 100;
  }
  return moment_of(reader, year, month, day, time);
}

/// `Sun Nov  6 08:49:37 1994`
std::optional<sys_seconds> parse_asctime_date(std::string_view text) {
  DateReader reader(text);
  reader.word(k_days, 3);
  reader.skip(" ");
  const int month = reader.word(k_months);
  reader.skip(" ");
  const int day = reader.number(2, true);
  reader.skip(" ");
  const seconds time = reader.time_of_day();
  reader.skip(" ");
  const int year = reader.number(4);
  return moment_of(reader, year, month, day, time);
}

seconds seconds_of(std::string_view digits) {
  long long value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return result.ec == std::errc() ? std::min(seconds(value), k_longest_wait) : k_longest_wait;
}

}  // namespace

std::optional<Ctx::Clock::duration> next_delay(
    int attempt,
    const RetryPolicy& policy,
    std::optional<std::chrono::seconds> retry_after,
    const Random& random) {
  if (attempt >= policy.max_attempts) {
    return std::nullopt;
  }
  auto ceiling = std::min(policy.first_delay, policy.max_delay);
  for (int doubled = 1; doubled < attempt && ceiling < policy.max_delay; ++doubled) {
    ceiling = std::min(ceiling * 2, policy.max_delay);
  }
  const double share = 0.5 + 0.5 * random();
  const auto own = std::chrono::duration_cast<Ctx::Clock::duration>(ceiling * share);
  return std::max<Ctx::Clock::duration>(own, retry_after.value_or(seconds(0)));
}

std::optional<std::chrono::seconds> parse_retry_after(
    std::string_view text, std::chrono::system_clock::time_point now) {
  text = trim(text);
  if (text.empty()) {
    return std::nullopt;
  }
  if (std::ranges::all_of(text, is_digit)) {
    return seconds_of(text);
  }
  auto moment = parse_fixed_date(text);
  if (!moment) {
    moment = parse_two_digit_date(text, now);
  }
  if (!moment) {
    moment = parse_asctime_date(text);
  }
  if (!moment) {
    return std::nullopt;
  }
  // Rounded up, so that we are not a moment early.
  const sys_seconds earliest = std::chrono::floor<seconds>(now);
  const sys_seconds latest = earliest + k_longest_wait;
  const auto wait = std::clamp(*moment, earliest, latest) - now;
  return std::max(seconds(0), std::chrono::ceil<seconds>(wait));
}

}  // namespace freshet::net
