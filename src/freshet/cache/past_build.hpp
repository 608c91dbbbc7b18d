// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/cache/instruction_keys.hpp"
#include "freshet/dockerfile/instruction.hpp"
#include "freshet/model/image.hpp"
#include "freshet/model/past_image.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace freshet::cache {

/// What a builder reported of one of its operations, which has a name such as `[2/4] RUN make`.
struct VertexTime {
  std::string name;
  std::optional<std::chrono::milliseconds> duration;  // absent: a cache had its result
};

/// What a build that ended well knows of its instructions: what those cost that ran; those of the
/// image's own chain are offered. Instructions that no other build can have are left out. nullopt:
/// triggers of a base image ran as well, so that the keys say nothing. `instructions` are those of
/// the Dockerfile. Pure.
std::optional<std::vector<model::PastInstruction>> describe_instructions(
    const KeyedBuild& build,
    const std::vector<dockerfile::Instruction>& instructions,
    const std::vector<VertexTime>& times);

/// Adds to what a build knows the layers that its instructions made: by the image's history, oldest
/// first, and its layers, lowest first. Where these do not fit together nothing is added. Pure.
void add_layers(
    std::vector<model::PastInstruction>& known,
    const KeyedBuild& build,
    const std::vector<model::ImageLayer>& history,
    const std::vector<std::string>& diff_ids);

}  // namespace freshet::cache
