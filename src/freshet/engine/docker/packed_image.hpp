// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/descriptor.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace freshet::engine {

/// An image as engines with containerd's image store keep it: just what registries have.
struct PackedImage {
  oci::Manifest manifest;
  std::string config;  // byte for byte
  std::vector<oci::Descriptor> layers;  // lowest first, compressed or not
};

/// Which image is looked for: such engines name images by a manifest, or by an index of manifests
/// for several platforms and of attestations.
struct WantedImage {
  oci::Digest target;
  std::vector<oci::Digest> diff_ids;  // lowest first
  std::string os;  // empty: any
  std::string architecture;  // empty: any
};

/// Gives a small blob of JSON by its digest, unverified; nullopt when it is not there.
using BlobLoader = std::function<std::optional<std::string>(const oci::Digest&)>;

inline constexpr std::size_t k_max_json_blob_bytes = 4UL * 1024 * 1024;

/// The image with just these layers, in `target` or behind it. All of it is verified against the
/// digest that leads to it. nullopt when it is not there. Throws what `load` throws, and
/// corrupt_data or unsupported for what is no manifest.
std::optional<PackedImage> find_packed_image(const BlobLoader& load, const WantedImage& wanted);

}  // namespace freshet::engine
