// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/digest.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace freshet::engine {

/// Which layer stands in the folder `id` of an engine's export in its old layout, told from the
/// file `json` of that folder, which comes just before the layer's archive.
///
/// The folder's name is a hash of that file with the layer's chain id in it, so the answer is
/// certain; nullopt when no layer fits.
/// Source: Docker Image Specification v1, "Image JSON"; `docker save` of engines up to 24.
std::optional<std::size_t> find_legacy_layer(
    std::string_view id, std::string_view json, const std::vector<oci::Digest>& chain_ids);

}  // namespace freshet::engine
