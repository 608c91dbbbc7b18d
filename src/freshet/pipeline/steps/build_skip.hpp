// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/model/image.hpp"
#include "freshet/pipeline/run/scope.hpp"
#include "freshet/pipeline/steps/build_key.hpp"
#include "freshet/pipeline/steps/build_plan.hpp"

#include <optional>
#include <string>

namespace freshet::pipeline {

/// What a build step leaves for later ones. The image has no repository digest yet.
StepOutput make_output(
    const BuildPlan& plan, const std::string& image_id, const model::ImageRecord& record);

/// Ends the step with an image that was built of the same: it gets all names of the plan, in the
/// registry too, and is pulled only where it stays in the engine. nullopt when there is none, or
/// when it could not be used, which the log says: then it is to be built.
Awaitable<std::optional<StepOutput>> use_built_before(
    Ctx ctx, StepScope scope, const BuildPlan& plan, BuildKey& key);

/// Makes an image that was just built one that can be found by its key: in its record, and in the
/// caching registry, if that answers before the deadline of `limited`; returns where it is there,
/// `domain/path@sha256:…`. Nothing happens without a key.
Awaitable<std::optional<std::string>> remember_key(
    Ctx ctx,
    Ctx limited,
    StepScope scope,
    const BuildPlan& plan,
    const BuildKey& key,
    model::ImageRecord& record,
    StepOutput& output);

}  // namespace freshet::pipeline
