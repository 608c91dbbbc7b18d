// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace freshet::dockerfile {

/// `1h2m3.5s` and its like, units ns, us, ms, s, m and h; `0` needs none. nullopt when it is none,
/// or longer than 292 years.
/// Source: Go's `time.ParseDuration`.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

}  // namespace freshet::dockerfile
