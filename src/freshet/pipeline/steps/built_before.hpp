// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/model/image.hpp"
#include "freshet/pipeline/run/scope.hpp"
#include "freshet/pipeline/steps/pull.hpp"
#include "freshet/pipeline/steps/registry_image.hpp"

#include <optional>
#include <string>

namespace freshet::pipeline {

/// An image that was built of the same, and that a registry has now.
struct BuiltBefore {
  RegistryImage image;
  model::ImageRecord record;  // without names and build, when only the caching registry knew it
};

/// What a key is looked for with.
struct KeyQuery {
  std::string key;
  std::string image_name;  // logical name
  std::string preferred;  // `domain/path` of where it is wanted; empty: nowhere
  PullOptions options;
};

/// Looks for the image of a key until the deadline of `ctx`: among the records, newest first, then
/// in the caching registry under the key as its tag. A registry confirms that it has it. Trouble is
/// told in the log, and is the same as finding nothing.
Awaitable<std::optional<BuiltBefore>> find_built_before(Ctx ctx, StepScope scope, KeyQuery query);

/// Gives the caching registry the image that was just built, under its key as its tag; returns
/// where it is there. `repo_digest` is where it was pushed, if anywhere. Without a caching registry
/// nothing happens, and a failure is a warning in the log. One that does not answer before the
/// deadline of `limited` gets nothing; what is sent to one that does may take its time.
Awaitable<std::optional<std::string>> keep_in_cache(
    Ctx ctx,
    Ctx limited,
    StepScope scope,
    KeyQuery query,
    std::string image_id,
    std::string repo_digest);

}  // namespace freshet::pipeline
