// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/packed_image.hpp"

#include "freshet/base/error.hpp"
#include "freshet/engine/docker/image_layers.hpp"
#include "freshet/engine/docker/json_access.hpp"
#include "freshet/oci/manifest.hpp"

#include <boost/json/parse.hpp>
#include <fmt/format.h>

namespace freshet::engine {
namespace {

constexpr int k_max_depth = 3;  // of indexes in indexes
constexpr std::string_view k_oci_index = "application/vnd.oci.image.index.v1+json";
constexpr std::string_view k_oci_manifest = "application/vnd.oci.image.manifest.v1+json";

std::optional<std::string> load_verified(const BlobLoader& load, const oci::Digest& digest) {
  std::optional<std::string> bytes = load(digest);
  if (bytes && !digest.is_of(*bytes)) {
    throw Error(
        ErrorCode::corrupt_data,
        fmt::format("the engine has other content than '{}' says", digest.to_string()));
  }
  return bytes;
}

/// What a manifest says of itself; OCI's do not have to.
std::string media_type_of(std::string_view bytes) {
  json::error_code code;
  const json::value value = json::parse(bytes, code);
  const json::object& manifest = as_object(value);
  std::string type = text_at(manifest, "mediaType");
  if (type.empty()) {
    type = manifest.contains("manifests") ? k_oci_index : k_oci_manifest;
  }
  return type;
}

bool is_for_platform(std::string_view config, const WantedImage& wanted) {
  const json::value value = json::parse(config);
  const auto fits = [&](std::string_view key, const std::string& asked) {
    return asked.empty() || text_at(as_object(value), key) == asked;
  };
  return fits("os", wanted.os) && fits("architecture", wanted.architecture);
}

std::optional<PackedImage> take_image(
    const BlobLoader& load,
    const WantedImage& wanted,
    oci::Manifest manifest,
    const oci::ParsedManifest& parsed) {
  if (!parsed.config || parsed.layers.size() != wanted.diff_ids.size()) {
    return std::nullopt;
  }
  std::optional<std::string> config = load_verified(load, parsed.config->descriptor.digest);
  if (!config || !is_config_of(*config, wanted.diff_ids) || !is_for_platform(*config, wanted)) {
    return std::nullopt;
  }
  PackedImage image{std::move(manifest), std::move(*config), {}};
  for (const oci::ManifestEntry& layer : parsed.layers) {
    image.layers.push_back(layer.descriptor);
  }
  return image;
}

std::optional<PackedImage> find_at(
    const BlobLoader& load, const WantedImage& wanted, const oci::Digest& digest, int depth) {
  std::optional<std::string> bytes = load_verified(load, digest);
  if (!bytes || depth > k_max_depth) {
    return std::nullopt;
  }
  const std::string media_type = media_type_of(*bytes);
  const oci::ParsedManifest parsed = oci::parse_manifest(*bytes, media_type);
  if (parsed.kind == oci::ManifestKind::image) {
    const oci::Descriptor descriptor{media_type, digest, bytes->size()};
    return take_image(load, wanted, oci::Manifest{descriptor, std::move(*bytes)}, parsed);
  }
  for (const oci::ManifestEntry& entry : parsed.manifests) {
    if (auto image = find_at(load, wanted, entry.descriptor.digest, depth + 1)) {
      return image;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<PackedImage> find_packed_image(const BlobLoader& load, const WantedImage& wanted) {
  return find_at(load, wanted, wanted.target, 1);
}

}  // namespace freshet::engine
