// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/error.hpp"
#include "freshet/oci/manifest.hpp"

#include <cstdint>
#include <string_view>

using namespace freshet::oci;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const std::string_view type : k_manifest_media_types) {
    try {
      const ParsedManifest parsed = parse_manifest(text, type);
      FRESHET_ASSERT((parsed.kind == ManifestKind::index) == is_index_type(type));
      FRESHET_ASSERT(parsed.config.has_value() == (parsed.kind == ManifestKind::image));
      const Manifest index = make_index(parsed.manifests);
      const ParsedManifest again = parse_manifest(index.bytes, index.descriptor.media_type);
      FRESHET_ASSERT(again.manifests.size() == parsed.manifests.size());
    } catch (const freshet::Error& error) {
      FRESHET_ASSERT(error.code() == freshet::ErrorCode::corrupt_data);
    }
  }
  return 0;
}
