// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

namespace freshet::oci {

/// The manifests that Freshet understands, as an `Accept` header names them.
inline constexpr std::array<std::string_view, 4> k_manifest_media_types{
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
};

/// Checks that `bytes` can only be read in one way: a JSON object that is either an image manifest
/// or an index, of the type under which it was served (`media_type`, without parameters).
/// Throws: unsupported (the formats before 2016, or no manifest at all), corrupt_data.
void require_sound_manifest(std::string_view bytes, std::string_view media_type);

}  // namespace freshet::oci
