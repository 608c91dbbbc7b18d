// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/copy/image_manifest.hpp"

#include "freshet/base/error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::oci {
namespace {

struct MediaTypes {
  std::string_view manifest;
  std::string_view config;
  std::string_view gzip_layer;
  std::string_view zstd_layer;
};

constexpr MediaTypes k_docker{
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "",
};
constexpr MediaTypes k_oci{
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
};

const MediaTypes& types_for(const std::vector<Descriptor>& layers) {
  const auto is_gzip = [](const Descriptor& layer) { return is_gzip_layer(layer.media_type); };
  return std::ranges::all_of(layers, is_gzip) ? k_docker : k_oci;
}

/// Digests and our own constants need no escaping.
std::string part(std::string_view media_type, const Descriptor& blob) {
  return fmt::format(
      R"({{"mediaType":"{}","size":{},"digest":"{}"}})",
      media_type,
      blob.size_bytes,
      blob.digest.to_string());
}

}  // namespace

bool is_gzip_layer(std::string_view media_type) {
  return media_type == k_docker.gzip_layer || media_type == k_oci.gzip_layer;
}

bool is_zstd_layer(std::string_view media_type) {
  return media_type == k_oci.zstd_layer;
}

Manifest make_image_manifest(const Descriptor& config, const std::vector<Descriptor>& layers) {
  const MediaTypes& types = types_for(layers);
  std::string list;
  for (const Descriptor& layer : layers) {
    const bool is_gzip = is_gzip_layer(layer.media_type);
    FRESHET_ASSERT(is_gzip || is_zstd_layer(layer.media_type));
    list += (list.empty() ? "" : ",") + part(is_gzip ? types.gzip_layer : types.zstd_layer, layer);
  }
  std::string bytes = fmt::format(
      R"({{"schemaVersion":2,"mediaType":"{}","config":{},"layers":[{}]}})",
      types.manifest,
      part(types.config, config),
      list);
  Descriptor descriptor{std::string(types.manifest), Digest::of(bytes), bytes.size()};
  return Manifest{std::move(descriptor), std::move(bytes)};
}

}  // namespace freshet::oci
