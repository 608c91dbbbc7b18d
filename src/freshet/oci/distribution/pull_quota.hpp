// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/http.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace freshet::oci {

/// How many pulls a registry allows within a window of time, and how many are left.
/// Source: Docker Hub's documentation, "Docker Hub pull usage and limits": the headers
/// `ratelimit-limit: 100;w=21600` and `ratelimit-remaining: 76;w=21600`.
struct PullQuota {
  std::uint64_t limit = 0;
  std::uint64_t remaining = 0;
  std::chrono::seconds window{};

  /// At most a tenth is left.
  bool is_nearly_used_up() const { return remaining <= limit / 10; }
  /// `100 pulls in 6 hours`
  std::string to_string() const;
};

/// nullopt when the answer says nothing of it, or nonsense.
std::optional<PullQuota> pull_quota(const net::HttpResponse& response);

}  // namespace freshet::oci
