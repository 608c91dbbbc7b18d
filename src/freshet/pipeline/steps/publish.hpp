// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/model/image.hpp"
#include "freshet/model/registry.hpp"
#include "freshet/oci/reference.hpp"
#include "freshet/pipeline/run/scope.hpp"

#include <string>
#include <vector>

namespace freshet::pipeline {

struct PublishRequest {
  std::string image_id;  // on the engine
  model::RegistryIntegration target;
  std::vector<oci::Reference> references;  // one per tag, all of one repository of `target`
};

struct Published {
  std::string repo_digest;  // `domain/path@sha256:…`
  std::vector<model::ImageTag> tags;
};

/// Tags the image in the engine with each reference and pushes it there.
///
/// The engine pushes by name, so that a name is held by one run of this data directory at a time,
/// and afterwards the pushed digest is checked to be that of the image meant.
/// Throws what the engine's push throws; conflict when another program moved the name meanwhile.
Awaitable<Published> publish(Ctx ctx, StepScope scope, PublishRequest request);

/// The tags of a step in their order, without doubles: `tags` and `tag` together, else `fallback`.
/// Throws invalid_input for what is not a tag.
std::vector<std::string> resolve_tags(
    const RunState& run,
    const std::optional<Text>& tag,
    const std::vector<Text>& tags,
    std::string_view fallback,
    bool lower_case);

/// What the engine tells about an image, as the start of its record.
Awaitable<model::ImageRecord> describe_image(Ctx ctx, StepScope scope, std::string image_id);

/// `sha256:…` without the algorithm, as records identify images.
std::string internal_image_id(std::string_view image_id);

}  // namespace freshet::pipeline
