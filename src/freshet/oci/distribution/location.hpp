// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/http.hpp"
#include "freshet/net/url.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace freshet::oci {

/// Where `location`, absolute or relative to `base`, leads. nullopt when it is neither.
/// Source: RFC 9110, section 10.2.2; RFC 3986, section 5 (without dot segments, which are refused).
std::optional<net::Url> resolve_location(const net::Url& base, std::string_view location);

/// The number of bytes that an upload has by its `Range: 0-N` (with or without `bytes=`), N being
/// the last one. `0-0` is how registries write "none" as well as "one": it gives 0. nullopt when
/// the header is absent or something else. Source: OCI Distribution Spec 1.1, "Pushing a blob in
/// chunks".
std::optional<std::uint64_t> uploaded_bytes(const net::HttpResponse& response);

/// `Content-Range: bytes first-last/size`; `size` is nullopt where the server does not know it.
struct ContentRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::optional<std::uint64_t> size;
};
std::optional<ContentRange> parse_content_range(std::string_view text);

/// The whole of `text` as a decimal number.
std::optional<std::uint64_t> parse_number(std::string_view text);

/// By `Content-Length`.
std::optional<std::uint64_t> length_of(const net::HttpResponse& response);

}  // namespace freshet::oci
