// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/descriptor.hpp"

#include <string_view>
#include <vector>

namespace freshet::oci {

/// Whether a layer of this media type is compressed by gzip; by zstd. Both families' names.
bool is_gzip_layer(std::string_view media_type);
bool is_zstd_layer(std::string_view media_type);

/// The manifest of an image, lowest layer first. Docker's media types while gzip is all it needs,
/// since every registry takes those; OCI's otherwise, which alone know zstd. The same image gives
/// the same bytes.
/// Source: Docker Image Manifest V2-2; OCI Image Spec 1.1, "Image Manifest".
Manifest make_image_manifest(const Descriptor& config, const std::vector<Descriptor>& layers);

}  // namespace freshet::oci
