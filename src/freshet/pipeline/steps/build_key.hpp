// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/cache/instruction_keys.hpp"
#include "freshet/engine/buildkit/builder.hpp"
#include "freshet/pipeline/run/scope.hpp"
#include "freshet/pipeline/steps/pinned_image.hpp"
#include "freshet/pipeline/steps/pull.hpp"

#include <memory>
#include <string>
#include <vector>

namespace freshet::pipeline {

/// The key of the image that a build is to make; see `cache::ImageInputs`.
struct BuildKey {
  std::string key;  // empty: there is none
  std::string problem;  // why there is none
  std::vector<PinnedImage> images;  // that the Dockerfile names; told without a key, too
  std::string context;  // digest of it
  Ctx::Clock::duration time_left{};  // of what waiting for registries may cost the step
  /// The keys of its instructions; null where the Dockerfile or the context cannot be read. Those
  /// of what cannot be known are there, too.
  std::shared_ptr<const cache::KeyedBuild> instructions;
};

/// Looks at all that the build is made of. What cannot be found out, or takes registries more than
/// 5 seconds, leaves it without a key, which is never a failure. `request` as it is before
/// anything is pulled for it; `dockerfile` is its text.
Awaitable<BuildKey> find_build_key(
    Ctx ctx,
    StepScope scope,
    engine::BuildRequest request,
    std::string dockerfile,
    PullOptions options);

/// Whether context and images of a build that just ended were those of its key all the time, which
/// the log says when they were not, or when it cannot be told before the deadline of `limited`.
Awaitable<bool> is_still_true(
    Ctx limited, StepScope scope, engine::BuildRequest request, BuildKey key, PullOptions options);

}  // namespace freshet::pipeline
