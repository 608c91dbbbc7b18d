// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace freshet::net {

/// How often and how patiently something is tried again.
struct RetryPolicy {
  int max_attempts = 5;  // the first one included
  std::chrono::milliseconds first_delay{200};
  std::chrono::milliseconds max_delay{15'000};  // of our own choice; what a server asks may be more
  std::chrono::seconds max_rest{900};  // that a server may ask for; beyond, nobody wants to wait
};

/// Uniform in [0, 1); injected, so that tests are sure of it.
using Random = std::function<double()>;

/// How long to wait before attempt number `attempt + 1`, `attempt` attempts having failed (from 1);
/// nullopt when it was the last. Doubles from `first_delay` with full jitter in its upper half;
/// what the server asks for is a lower bound. Pure.
std::optional<Ctx::Clock::duration> next_delay(
    int attempt,
    const RetryPolicy& policy,
    std::optional<std::chrono::seconds> retry_after,
    const Random& random);

/// `Retry-After` as seconds or as a date (any of the three forms), counted from `now`. Dates in the
/// past are 0, numbers beyond a day are cut to a day; nullopt when it is neither.
/// Source: RFC 9110 section 10.2.3 and 5.6.7.
std::optional<std::chrono::seconds> parse_retry_after(
    std::string_view text, std::chrono::system_clock::time_point now);

}  // namespace freshet::net
