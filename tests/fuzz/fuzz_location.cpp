// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/error.hpp"
#include "freshet/oci/distribution/location.hpp"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto base = freshet::net::parse_url("https://registry.example/v2/app/blobs/uploads/?x=1");
  if (const auto url = freshet::oci::resolve_location(*base, text)) {
    FRESHET_ASSERT(url->scheme == "https" || url->scheme == "http");
    // What is sent there goes by this text: it must lead to the host that was checked.
    const auto again = freshet::net::parse_url(url->origin() + url->target());
    FRESHET_ASSERT(again && again->host == url->host && again->port == url->port);
  }
  if (const auto range = freshet::oci::parse_content_range(text)) {
    FRESHET_ASSERT(range->first <= range->last);
  }
  return 0;
}
