// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/distribution/location.hpp"

#include "freshet/base/text.hpp"

#include <charconv>

namespace freshet::oci {
namespace {

bool has_dot_segment(std::string_view path) {
  for (const std::string& segment : split(path.substr(0, path.find('?')), '/')) {
    if (segment == "." || segment == "..") {
      return true;
    }
  }
  return false;
}

std::string_view without_prefix(std::string_view text, std::string_view prefix) {
  text = trim(text);
  return text.starts_with(prefix) ? trim(text.substr(prefix.size())) : text;
}

}  // namespace

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number =
      !text.empty() && failure == std::errc() && end == text.data() + text.size();
  return is_number ? std::optional(value) : std::nullopt;
}

std::optional<net::Url> resolve_location(const net::Url& base, std::string_view location) {
  if (location.empty() || location.starts_with('#')) {
    return std::nullopt;
  }
  if (location.find("://") < location.find_first_of("/?#")) {
    return net::parse_url(location);
  }
  const std::string text(location);
  if (location.starts_with("//")) {
    return net::parse_url(base.scheme + ":" + text);
  }
  if (has_dot_segment(location) || location.find(':') < location.find_first_of("/?#")) {
    return std::nullopt;  // the latter is some other scheme
  }
  if (location.starts_with('/')) {
    return net::parse_url(base.origin() + text);
  }
  const std::string folder =
      location.starts_with('?') ? base.path : base.path.substr(0, base.path.rfind('/') + 1);
  return net::parse_url(base.origin() + folder + text);
}

std::optional<std::uint64_t> uploaded_bytes(const net::HttpResponse& response) {
  const std::string header = response.headers.find("Range").value_or("");
  const std::string_view range = without_prefix(header, "bytes=");
  if (!range.starts_with("0-")) {
    return std::nullopt;
  }
  const auto last = parse_number(range.substr(2));
  if (!last || *last == UINT64_MAX) {
    return std::nullopt;
  }
  return *last == 0 ? 0 : *last + 1;
}

std::optional<ContentRange> parse_content_range(std::string_view text) {
  const std::string_view range = without_prefix(text, "bytes");
  const std::size_t dash = range.find('-');
  const std::size_t slash = range.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || slash < dash) {
    return std::nullopt;
  }
  const auto first = parse_number(range.substr(0, dash));
  const auto last = parse_number(range.substr(dash + 1, slash - dash - 1));
  const auto size = parse_number(range.substr(slash + 1));
  if (!first || !last || *last < *first || (!size && range.substr(slash + 1) != "*")) {
    return std::nullopt;
  }
  return ContentRange{*first, *last, size};
}

std::optional<std::uint64_t> length_of(const net::HttpResponse& response) {
  return parse_number(response.headers.find("Content-Length").value_or(""));
}

}  // namespace freshet::oci
