// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/model/past_image.hpp"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::cache {

/// The diff ids of the layers that a builder takes from an image with this configuration. nullopt:
/// it tells builders nothing of its layers. Throws corrupt_data for what is no configuration. Pure.
///
/// Builders do not list all: BuildKit before 0.9 leaves out what it took from another image itself.
/// Source: BuildKit, cache/remotecache/v1 (the format) and its documentation, "Inline cache".
std::optional<std::set<std::string>> find_inline_layers(std::string_view config);

/// Leaves offered only what an image with this configuration really gives. Instructions whose layer
/// is not known stay as they are. Throws corrupt_data. Pure.
void restrict_offers(std::vector<model::PastInstruction>& known, std::string_view config);

}  // namespace freshet::cache
