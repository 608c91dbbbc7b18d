// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/checks/build_push.hpp"

namespace freshet::pipeline {

BuildPush decide_build_push(const BuildPushWish& wish, model::PushMode mode, bool has_default) {
  if (wish.disable_push.value_or(false)) {
    return BuildPush::disabled;
  }
  if (wish.names_registry) {
    return BuildPush::to_named;
  }
  if (mode == model::PushMode::explicit_only) {
    return BuildPush::refused;
  }
  if (mode == model::PushMode::never && !wish.disable_push) {
    return BuildPush::kept;
  }
  return has_default ? BuildPush::to_default : BuildPush::no_default;
}

}  // namespace freshet::pipeline
