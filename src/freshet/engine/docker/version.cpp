// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/version.hpp"

#include <fmt/format.h>

#include <charconv>

namespace freshet::engine {

std::optional<ApiVersion> ApiVersion::parse(std::string_view text) {
  ApiVersion version;
  const char* const end = text.data() + text.size();
  const auto major = std::from_chars(text.data(), end, version.major);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') {
    return std::nullopt;
  }
  const auto minor = std::from_chars(major.ptr + 1, end, version.minor);
  if (minor.ec != std::errc() || minor.ptr != end || version.major < 0 || version.minor < 0) {
    return std::nullopt;
  }
  return version;
}

std::string ApiVersion::to_string() const {
  return fmt::format("{}.{}", major, minor);
}

}  // namespace freshet::engine
