// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/cache/past_build.hpp"
#include "freshet/model/image.hpp"
#include "freshet/pipeline/run/scope.hpp"
#include "freshet/pipeline/steps/build_key.hpp"

#include <optional>
#include <string>
#include <vector>

namespace freshet::pipeline {

/// An image as a build step leaves it.
struct BuiltImage {
  std::string id;  // as the engine names it
  model::ImageRecord record;  // as it is stored
  std::vector<std::string> repo_digests;  // `domain/path@sha256:…`, where registries have it now
};

/// What the instructions of a build are, and what those cost that ran. nullopt when base images
/// brought instructions that are not in the Dockerfile (ONBUILD). `key` has those of instructions.
std::optional<std::vector<model::PastInstruction>> describe_built(
    const BuildKey& key,
    const std::string& dockerfile,
    const std::vector<cache::VertexTime>& times);

/// Records an image that was just built of `known` in the index of past images. Trouble is a
/// warning in the log.
Awaitable<void> index_built(
    Ctx ctx,
    StepScope scope,
    const BuildKey& key,
    std::vector<model::PastInstruction> known,
    BuiltImage image);

/// Records an image that was found in a registry and that another data directory built, of what
/// `key` is made of. Trouble is a warning in the log.
Awaitable<void> index_foreign(StepScope scope, const BuildKey& key, BuiltImage image);

/// Records where an image that was built here is now. Trouble is a warning in the log.
Awaitable<void> index_copies(StepScope scope, BuiltImage image);

}  // namespace freshet::pipeline
