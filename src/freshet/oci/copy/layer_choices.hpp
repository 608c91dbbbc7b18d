// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/copy/errand.hpp"

#include <vector>

namespace freshet::oci {

/// The blobs that a layer is known to have become, those first that are the least work to bring to
/// `target`, and from where. Leaves out what does not suit `options`: zstd where gzip is asked for,
/// since not everybody can read it.
std::vector<WantedBlob> choices_for(
    const std::vector<KnownLayer>& known, const Place& target, const PushOptions& options);

/// The first of `known` that is in the target's own repository and suits.
std::optional<KnownLayer> own_layer(
    const std::vector<KnownLayer>& known, const Place& target, const PushOptions& options);

}  // namespace freshet::oci
