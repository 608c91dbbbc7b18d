// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/model/image.hpp"
#include "freshet/oci/copy/image_mover.hpp"
#include "freshet/oci/reference.hpp"
#include "freshet/pipeline/run/scope.hpp"
#include "freshet/pipeline/steps/destination.hpp"
#include "freshet/pipeline/steps/registry_image.hpp"

#include <string>
#include <vector>

namespace freshet::pipeline {

struct PublishRequest {
  Destination destination;
  std::vector<oci::Reference> references;  // one per tag, all of one repository there
};

struct Published {
  std::string repo_digest;  // `domain/path@sha256:…`
  std::vector<model::ImageTag> tags;
};

/// Pushes an image of the engine, and gives it the pushed names there too.
///
/// The layers are read from the engine and sent by this program, each only where the registry lacks
/// it. When they cannot be read, the engine pushes, which the log says.
/// Throws what the push throws, with the first reference and the login in its context.
Awaitable<Published> publish(
    Ctx ctx, StepScope scope, std::string image_id, PublishRequest request);

/// Copies an image from one registry to another, or within one; the engine is not asked. All
/// platforms, and what refers to the image, go with it, and its digest stays.
Awaitable<Published> publish(Ctx ctx, StepScope scope, RegistryImage image, PublishRequest request);

/// The tags of a step in their order, without doubles: `tags` and `tag` together, else `fallback`.
/// Throws invalid_input for what is not a tag.
std::vector<std::string> resolve_tags(
    const RunState& run,
    const std::optional<Text>& tag,
    const std::vector<Text>& tags,
    std::string_view fallback,
    bool lower_case);

}  // namespace freshet::pipeline
