// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/model/registry.hpp"

#include <optional>

namespace freshet::pipeline {

/// Where the image of a build step goes when it was built.
enum class BuildPush {
  to_named,  // the registry that the step names
  to_default,
  disabled,  // nowhere: the step says so
  kept,  // nowhere: the push mode says so
  no_default,  // nowhere: there is no default registry
  refused,  // the step must not run: it says neither where to push nor that it does not push
};

/// What a build step says about that.
struct BuildPushWish {
  bool names_registry = false;
  std::optional<bool> disable_push = std::nullopt;  // as written
};

/// Pure. A word of the step comes before the push mode; a registry that is no default is never
/// chosen.
BuildPush decide_build_push(const BuildPushWish& wish, model::PushMode mode, bool has_default);

}  // namespace freshet::pipeline
