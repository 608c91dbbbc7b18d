// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/error.hpp"
#include "freshet/net/url.hpp"

#include <cstdint>
#include <string_view>

using freshet::net::parse_url;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  freshet::net::redacted(text);
  freshet::net::url_encode(text);
  const auto url = parse_url(text);
  if (!url) {
    return 0;
  }
  FRESHET_ASSERT(url->scheme == "http" || url->scheme == "https");
  FRESHET_ASSERT(!url->host.empty());
  FRESHET_ASSERT(url->port >= 0 && url->port <= 65'535);
  FRESHET_ASSERT(url->path.starts_with('/'));
  // What is written anew means the same host: else a check of one could be passed by the other.
  const auto again = parse_url(url->origin() + url->target());
  FRESHET_ASSERT(again && again->authority() == url->authority());
  return 0;
}
