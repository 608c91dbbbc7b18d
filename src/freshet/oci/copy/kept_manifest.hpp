// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/copy/image_mover.hpp"

#include <optional>
#include <vector>

namespace freshet::oci {

/// The manifest under which a source keeps its image, fit to be pushed as it is.
struct KeptManifest {
  Manifest manifest;
  Digest config;
  std::vector<Descriptor> layers;  // lowest first, one for each diff id
};

/// `manifest` where an image of these layers may go to a registry under it: all layers are
/// compressed in a way that `options` allow, none lies elsewhere, and the same archive is the same
/// blob throughout. nullopt otherwise: then a manifest is made.
std::optional<KeptManifest> find_kept_manifest(
    const std::optional<Manifest>& manifest,
    const std::vector<Digest>& diff_ids,
    const PushOptions& options);

}  // namespace freshet::oci
