// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/copy/platform_choice.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"

#include <fmt/format.h>

namespace freshet::oci {
namespace {

constexpr std::size_t k_max_shown = 100;
constexpr std::string_view k_attestation = "unknown/unknown";  // what BuildKit says of those

/// `linux/arm64/v8` and `linux/arm64` are one platform.
std::string canonical_platform(std::string_view platform) {
  const std::string text = to_lower(platform);
  return text.ends_with("/arm64/v8") ? text.substr(0, text.size() - 3) : text;
}

}  // namespace

const ManifestEntry& entry_for(const ParsedManifest& index, std::string_view platform) {
  const std::string wanted = canonical_platform(platform);
  const bool any_variant = split(wanted, '/').size() == 2;
  const ManifestEntry* with_variant = nullptr;
  std::vector<std::string> all;
  for (const ManifestEntry& entry : index.manifests) {
    const std::string name = entry.platform ? entry.platform->to_string() : std::string();
    const std::string offered = canonical_platform(name);
    if (offered == wanted) {
      return entry;
    }
    if (any_variant && offered.starts_with(wanted + "/") && with_variant == nullptr) {
      with_variant = &entry;
    }
    if (!offered.empty() && offered != k_attestation) {
      all.push_back(printable(name, k_max_shown));
    }
  }
  if (with_variant != nullptr) {
    return *with_variant;
  }
  throw Error(
      ErrorCode::not_found,
      fmt::format(
          "the image is not there for platform '{}'; it is for {}",
          printable(platform, k_max_shown),
          all.empty() ? "none that it names" : join(all, ", ")));
}

}  // namespace freshet::oci
