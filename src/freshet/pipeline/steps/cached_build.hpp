// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/buildkit/builder.hpp"
#include "freshet/pipeline/run/scope.hpp"
#include "freshet/pipeline/steps/build_progress.hpp"
#include "freshet/pipeline/steps/cache_sources.hpp"

namespace freshet::pipeline {

/// Builds with the layers of `sources`, which this process passes on to the builder. A source whose
/// layer cannot be had, or does not come, is told in the log; the build begins anew without it and
/// goes on from what it did already. Throws what `ImageBuilder::build` throws.
Awaitable<engine::BuildResult> build_with_cache(
    Ctx ctx,
    StepScope scope,
    engine::BuildRequest request,
    CacheSources sources,
    BuildProgress& progress);

}  // namespace freshet::pipeline
