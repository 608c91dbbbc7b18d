// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/distribution/pagination.hpp"

#include "freshet/base/text.hpp"

#include <fmt/format.h>

namespace freshet::oci {
namespace {

bool is_next(std::string_view parameters) {
  const std::string lower = to_lower(parameters);
  return lower.find("rel=\"next\"") != std::string::npos ||
         lower.find("rel=next") != std::string::npos;
}

/// The URL of the link of relation `next` in one `Link` value.
std::optional<std::string> next_link(std::string_view header) {
  while (!header.empty()) {
    const std::size_t open = header.find('<');
    const std::size_t close = header.find('>', open);
    if (open == std::string_view::npos || close == std::string_view::npos) {
      return std::nullopt;
    }
    const std::size_t end = std::min(header.find('<', close), header.size());
    if (is_next(header.substr(close, end - close))) {
      return std::string(header.substr(open + 1, close - open - 1));
    }
    header.remove_prefix(end);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> target_on(const net::Url& registry, std::string_view location) {
  const bool is_path = location.starts_with('/') && !location.starts_with("//");
  const auto url =
      net::parse_url(is_path ? registry.origin() + std::string(location) : std::string(location));
  if (!url || url->host != registry.host || url->has_userinfo) {
    return std::nullopt;
  }
  return url->target();
}

std::optional<std::string> next_page(const net::Url& registry, const net::HttpResponse& response) {
  for (const std::string& header : response.headers.find_all("Link")) {
    const auto link = next_link(header);
    if (!link) {
      continue;
    }
    auto target = target_on(registry, *link);
    if (!target) {
      throw Error(
          ErrorCode::corrupt_data,
          fmt::format(
              "'{}' links its next page to '{}', which is not on it",
              registry.authority(),
              net::redacted(*link)));
    }
    return target;
  }
  return std::nullopt;
}

}  // namespace freshet::oci
