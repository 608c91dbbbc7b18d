// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/copy/kept_manifest.hpp"

#include "freshet/oci/copy/image_manifest.hpp"
#include "freshet/oci/manifest.hpp"

#include <algorithm>
#include <map>

namespace freshet::oci {
namespace {

bool may_go(const ManifestEntry& layer, const PushOptions& options) {
  const std::string& type = layer.descriptor.media_type;
  const bool is_wanted_type =
      is_gzip_layer(type) || (options.compression == Compression::zstd && is_zstd_layer(type));
  return is_wanted_type && !layer.is_foreign && layer.descriptor.digest.algorithm() == "sha256";
}

/// Whether each archive is one blob.
bool is_even(const std::vector<ManifestEntry>& layers, const std::vector<Digest>& diff_ids) {
  std::map<Digest, Digest> blobs;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Digest& digest = layers[i].descriptor.digest;
    if (blobs.emplace(diff_ids[i], digest).first->second != digest) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::optional<KeptManifest> find_kept_manifest(
    const std::optional<Manifest>& manifest,
    const std::vector<Digest>& diff_ids,
    const PushOptions& options) {
  if (!manifest) {
    return std::nullopt;
  }
  const ParsedManifest parsed = parse_manifest(manifest->bytes, manifest->descriptor.media_type);
  const auto may = [&](const ManifestEntry& layer) { return may_go(layer, options); };
  if (!parsed.config || parsed.layers.size() != diff_ids.size() ||
      !std::ranges::all_of(parsed.layers, may) || !is_even(parsed.layers, diff_ids)) {
    return std::nullopt;
  }
  KeptManifest kept{*manifest, parsed.config->descriptor.digest, {}};
  std::ranges::transform(
      parsed.layers, std::back_inserter(kept.layers), &ManifestEntry::descriptor);
  return kept;
}

}  // namespace freshet::oci
