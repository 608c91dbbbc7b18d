// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/docker/types.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

namespace freshet::engine {

/// The most bytes that each layer of an image may hold, lowest first. The history does not tell
/// which of its entries made a layer, only how much each added, so that layers that hold nothing
/// may get the size of a neighbour. nullopt: the history is not of as many layers.
std::optional<std::vector<std::uint64_t>> layer_size_limits(
    const std::vector<ImageHistoryEntry>& history, std::size_t layer_count);

/// What reading some layers of an image comes to.
struct ReadingCost {
  std::uint64_t wanted_bytes = 0;  // at most
  std::uint64_t whole_bytes = 0;  // of the image
  std::chrono::nanoseconds by_export{};
  std::chrono::nanoseconds by_handover{};
};

/// `wanted` are indexes of `limits`, which are what `layer_size_limits` gave.
ReadingCost estimate_reading(
    const std::vector<std::uint64_t>& limits,
    std::uint64_t image_bytes,
    const std::set<std::size_t>& wanted);

/// Whether the engine would begin to push all the wanted layers at once, as it begins at the top.
bool are_begun_at_once(std::size_t layer_count, const std::set<std::size_t>& wanted);

}  // namespace freshet::engine
