// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/copy/errand.hpp"
#include "freshet/oci/copy/manifest_tree.hpp"

#include <string_view>
#include <vector>

namespace freshet::oci {

/// `rootfs.diff_ids` of an image's configuration, lowest first. Throws corrupt_data.
/// Source: OCI Image Spec 1.1, "Image Configuration".
std::vector<Digest> diff_ids_of(std::string_view config);

/// Reads the configurations of the images in `tree`, so that `memory` can say from where in the
/// target's registry their layers could be mounted; adds that to `wanted`, and the configurations
/// themselves. Gives what `memory` should be told once all is there: where the
/// target has layers that it knows already, for what a configuration claims proves nothing.
Awaitable<std::vector<KnownLayer>> add_layer_hints(
    Errand& errand, const ManifestTree& tree, Place source, std::vector<WantedBlob>& wanted);

Awaitable<std::vector<KnownLayer>> find_layers(Errand& errand, Digest diff_id);
Awaitable<void> remember_layers(Errand& errand, std::vector<KnownLayer> layers);

}  // namespace freshet::oci
