// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace freshet::engine {

/// Version of the engine's API, e.g. `1.41`.
struct ApiVersion {
  int major = 0;
  int minor = 0;

  /// nullopt when `text` is not two numbers with a dot between them.
  static std::optional<ApiVersion> parse(std::string_view text);
  std::string to_string() const;
  auto operator<=>(const ApiVersion&) const = default;
};

constexpr ApiVersion k_min_api_version{1, 40};  // Docker 19.03
constexpr ApiVersion k_max_api_version{1, 55};  // Docker 29; what this client was tried with

}  // namespace freshet::engine
