// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/error.hpp"
#include "freshet/oci/distribution/challenge.hpp"
#include "freshet/oci/distribution/realm.hpp"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto registry = freshet::net::parse_url("https://registry.example/");
  const auto challenges = freshet::oci::parse_challenges(text);
  FRESHET_ASSERT(challenges.size() <= 32);
  for (const auto& challenge : challenges) {
    FRESHET_ASSERT(!challenge.scheme.empty() && challenge.parameters.size() <= 32);
    try {
      const auto realm =
          freshet::oci::require_trusted_realm(*registry, challenge.parameter("realm"));
      FRESHET_ASSERT(realm.scheme == "https" && !realm.has_userinfo);
      FRESHET_ASSERT(realm.host == "registry.example" || realm.host.ends_with(".registry.example"));
    } catch (const freshet::Error&) {
      continue;  // refused
    }
  }
  return 0;
}
