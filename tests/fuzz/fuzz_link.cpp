// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/error.hpp"
#include "freshet/oci/distribution/pagination.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  std::erase_if(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
  const auto registry = freshet::net::parse_url("https://registry.example/");
  freshet::net::HttpResponse response;
  response.headers.add("Link", text);
  try {
    const auto next = freshet::oci::next_page(*registry, response);
    if (next) {
      const auto url = freshet::net::parse_url(registry->origin() + *next);
      FRESHET_ASSERT(url && url->host == "registry.example" && url->port == 443);
    }
  } catch (const freshet::Error& error) {
    FRESHET_ASSERT(error.code() == freshet::ErrorCode::corrupt_data);
  }
  return 0;
}
