// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/descriptor.hpp"

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::oci {

/// What the specification obliges registries to take, and we to read.
inline constexpr std::size_t k_max_manifest_bytes = 4UL * 1024 * 1024;

/// The manifests that Freshet understands, as an `Accept` header names them.
inline constexpr std::array<std::string_view, 4> k_manifest_media_types{
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
};

/// Whether `media_type` is one of the two index formats.
bool is_index_type(std::string_view media_type);

/// Whether `media_type` is that of the manifests before 2016, signed or not.
bool is_schema1_type(std::string_view media_type);

/// Checks that `bytes` can only be read in one way: a JSON object without repeated names that is
/// either an image manifest or an index, of the type under which it was served (`media_type`,
/// without parameters).
/// Throws: unsupported (the formats before 2016, or no manifest at all), corrupt_data, too_large.
void require_sound_manifest(std::string_view bytes, std::string_view media_type);

/// What an image is made for. Source: OCI Image Spec 1.1, "Image Index".
struct Platform {
  std::string os;
  std::string architecture;
  std::string variant;

  /// `os/architecture[/variant]`
  std::string to_string() const;
  bool operator==(const Platform&) const = default;
};

/// One thing that a manifest names.
struct ManifestEntry {
  Descriptor descriptor;
  std::optional<Platform> platform = {};
  std::string artifact_type = {};
  std::map<std::string, std::string> annotations = {};
  /// It is said to lie elsewhere (`urls`, or a media type of layers that may not be distributed):
  /// registries need not have it, and those places are never asked.
  bool is_foreign = false;
};

enum class ManifestKind { image, index };

struct ParsedManifest {
  ManifestKind kind = ManifestKind::image;
  std::string artifact_type;  // for an image without one: the media type of its configuration
  std::optional<ManifestEntry> config;  // of an image
  std::vector<ManifestEntry> layers;  // of an image, lowest first
  std::vector<ManifestEntry> manifests;  // of an index
  std::optional<Descriptor> subject;  // what this refers to
  std::map<std::string, std::string> annotations;
};

/// Reads a manifest after `require_sound_manifest`; every digest is well formed and every size a
/// non-negative number. At most 10,000 entries. Throws as that, with where the fault is.
/// Source: OCI Image Spec 1.1; Docker Image Manifest V2, Schema 2.
ParsedManifest parse_manifest(std::string_view bytes, std::string_view media_type);

/// The index of `entries`, as the fallback tag of referrers wants it.
Manifest make_index(const std::vector<ManifestEntry>& entries);

}  // namespace freshet::oci
