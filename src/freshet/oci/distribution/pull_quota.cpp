// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/distribution/pull_quota.hpp"

#include "freshet/base/text.hpp"

#include <fmt/format.h>

#include <charconv>

namespace freshet::oci {
namespace {

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  text = trim(text);
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_whole = read.ec == std::errc() && read.ptr == text.data() + text.size();
  return is_whole ? std::optional(value) : std::nullopt;
}

struct Amount {
  std::uint64_t count = 0;
  std::uint64_t window_s = 0;
};

/// `100;w=21600`
std::optional<Amount> amount(const net::HttpResponse& response, std::string_view header) {
  const auto text = response.headers.find(header);
  if (!text) {
    return std::nullopt;
  }
  const std::vector<std::string> parts = split(*text, ';');
  const auto count = number(parts[0]);
  const bool has_window = parts.size() == 2 && trim(parts[1]).starts_with("w=");
  const auto window = has_window ? number(trim(parts[1]).substr(2)) : std::nullopt;
  constexpr std::uint64_t k_longest_window_s = 366UL * 24 * 3600;
  if (!count || !window || *window == 0 || *window > k_longest_window_s) {
    return std::nullopt;
  }
  return Amount{*count, *window};
}

}  // namespace

std::string PullQuota::to_string() const {
  using std::chrono::hours;
  using std::chrono::minutes;
  const bool is_hours = window % hours(1) == std::chrono::seconds(0);
  const auto count = is_hours ? window / hours(1) : window / minutes(1);
  return fmt::format(
      "{} pulls in {} {}{}", limit, count, is_hours ? "hour" : "minute", count == 1 ? "" : "s");
}

std::optional<PullQuota> pull_quota(const net::HttpResponse& response) {
  const auto limit = amount(response, "RateLimit-Limit");
  const auto remaining = amount(response, "RateLimit-Remaining");
  if (!limit || !remaining || limit->count == 0) {
    return std::nullopt;
  }
  return PullQuota{limit->count, remaining->count, std::chrono::seconds(limit->window_s)};
}

}  // namespace freshet::oci
