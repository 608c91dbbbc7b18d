// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/error.hpp"
#include "freshet/net/retry.hpp"

#include <cstdint>
#include <string_view>

using namespace std::chrono_literals;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::chrono::sys_days day = std::chrono::year(2026) / 6 / 15;
  const auto wait = freshet::net::parse_retry_after(text, day + 12h + 300ms);
  FRESHET_ASSERT(!wait || (*wait >= 0s && *wait <= 24h));
  return 0;
}
