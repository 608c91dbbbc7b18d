// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/pipeline/run/scope.hpp"

namespace freshet::pipeline {

/// Each runs one step to its end and returns what it leaves for later ones. They throw Error when
/// the step failed. What they made in the engine for the time of the step is gone afterwards, or is
/// found by its labels.

/// Brings a repository to a revision below the shared volume; an earlier run's checkout is updated,
/// and what `.gitignore` covers survives in it.
Awaitable<StepOutput> run_git_clone(Ctx ctx, StepScope scope, GitCloneStep step);

/// Builds an image, pushes it where the step or the default registry says, and records it.
Awaitable<StepOutput> run_build(Ctx ctx, StepScope scope, BuildStep step);

/// Gives an image further names in a registry.
Awaitable<StepOutput> run_push(Ctx ctx, StepScope scope, PushStep step);

/// Runs commands, or an image's own program, in a container.
Awaitable<StepOutput> run_freestyle(Ctx ctx, StepScope scope, FreestyleStep step);

}  // namespace freshet::pipeline
