// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/retry.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace freshet::net {
namespace {

using namespace std::chrono_literals;

Random always(double value) {
  return [value] { return value; };
}

TEST(NextDelay, doubles_between_half_and_all_of_a_ceiling) {
  const RetryPolicy policy{.max_attempts = 9, .first_delay = 200ms, .max_delay = 1500ms};
  struct Row {
    int attempt;
    double random;
    Ctx::Clock::duration delay;
  };
  for (const Row& row : {
           Row{1, 0.0, 100ms},
           Row{1, 0.5, 150ms},
           Row{2, 0.0, 200ms},
           Row{3, 0.0, 400ms},
           Row{4, 0.0, 750ms},  // the ceiling is 1500 ms, not 1600
           Row{5, 0.0, 750ms},
           Row{8, 0.5, 1125ms},
       }) {
    EXPECT_EQ(next_delay(row.attempt, policy, std::nullopt, always(row.random)), row.delay)
        << row.attempt;
  }
}

TEST(NextDelay, ends_with_the_last_attempt) {
  const RetryPolicy policy{.max_attempts = 3};
  EXPECT_TRUE(next_delay(2, policy, std::nullopt, always(0)));
  EXPECT_EQ(next_delay(3, policy, std::nullopt, always(0)), std::nullopt);
  EXPECT_EQ(next_delay(3, policy, 1s, always(0)), std::nullopt);
  EXPECT_EQ(next_delay(1, RetryPolicy{.max_attempts = 1}, std::nullopt, always(0)), std::nullopt);
}

TEST(NextDelay, is_never_shorter_than_what_the_server_asked_for) {
  const RetryPolicy policy;
  EXPECT_EQ(next_delay(1, policy, 30s, always(0.9)), 30s);
  EXPECT_EQ(next_delay(1, policy, 0s, always(0)), 100ms);
  EXPECT_EQ(next_delay(2, policy, 86'400s, always(0)), 86'400s);
}

TEST(NextDelay, survives_extreme_policies) {
  const int many = std::numeric_limits<int>::max();
  const RetryPolicy patient{.max_attempts = many, .first_delay = 1ms, .max_delay = 15s};
  EXPECT_EQ(next_delay(many - 1, patient, std::nullopt, always(0)), 7500ms);
  const RetryPolicy odd{.max_attempts = 5, .first_delay = 60s, .max_delay = 10s};
  EXPECT_EQ(next_delay(1, odd, std::nullopt, always(0)), 5s);
}

TEST(RetryAfter, is_read_in_all_its_forms) {
  const std::chrono::sys_days day = std::chrono::year(1994) / 11 / 6;
  const auto now = day + 8h + 49min + 7s;  // thirty seconds before the dates below
  struct Row {
    std::string text;
    std::optional<std::chrono::seconds> wait;
  };
  for (const Row& row : {
           Row{"0", 0s},
           Row{"120", 120s},
           Row{" 7\t", 7s},
           Row{"007", 7s},
           Row{"86400", 86'400s},
           Row{"86401", 86'400s},
           Row{"999999999", 86'400s},
           Row{"99999999999999999999999", 86'400s},
           Row{"Sun, 06 Nov 1994 08:49:37 GMT", 30s},
           Row{"Sunday, 06-Nov-94 08:49:37 GMT", 30s},
           Row{"Sun Nov  6 08:49:37 1994", 30s},
           Row{"Mon Nov 14 08:49:37 1994", 86'400s},
           Row{"Sun, 06 Nov 1994 08:49:07 GMT", 0s},
           Row{"Sun, 06 Nov 1994 08:49:06 GMT", 0s},
           Row{"Thu, 01 Jan 1970 00:00:00 GMT", 0s},
           Row{"Mon, 01 Jan 0001 00:00:00 GMT", 0s},
           Row{"Fri, 31 Dec 9999 23:59:60 GMT", 86'400s},
           Row{"Saturday, 06-Nov-50 08:49:37 GMT", 0s},  // 1950: 2050 is too far ahead
           Row{"Sunday, 06-Nov-44 08:49:37 GMT", 0s},
           Row{"", std::nullopt},
           Row{" ", std::nullopt},
           Row{"-1", std::nullopt},
           Row{"+1", std::nullopt},
           Row{"1.5", std::nullopt},
           Row{"1, 2", std::nullopt},
           Row{"soon", std::nullopt},
           Row{"1s", std::nullopt},
           Row{"Sun, 06 Nov 1994 08:49:37", std::nullopt},
           Row{"Sun, 06 Nov 1994 08:49:37 UTC", std::nullopt},
           Row{"Sun, 06 Nov 1994 08:49:37 GMT+1", std::nullopt},
           Row{"Sun, 31 Feb 1994 08:49:37 GMT", std::nullopt},
           Row{"Sun, 06 Nov 1994 24:49:37 GMT", std::nullopt},
           Row{"Sun, 6 Nov 1994 08:49:37 GMT", std::nullopt},
           Row{"sun, 06 nov 1994 08:49:37 gmt", std::nullopt},
       }) {
    EXPECT_EQ(parse_retry_after(row.text, now), row.wait) << row.text;
  }
}

TEST(RetryAfter, rounds_a_date_up_so_that_nobody_is_early) {
  const std::chrono::sys_days day = std::chrono::year(1994) / 11 / 6;
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 00:00:02 GMT", day + 500ms), 2s);
}

TEST(RetryAfter, with_two_digits_reads_a_year_ahead_across_a_century) {
  const std::chrono::sys_days day = std::chrono::year(2026) / 1 / 1;
  EXPECT_EQ(parse_retry_after("Thursday, 01-Jan-26 00:00:10 GMT", day), 10s);
}

}  // namespace
}  // namespace freshet::net
