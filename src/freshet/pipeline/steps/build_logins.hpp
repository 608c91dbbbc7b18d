// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/pipeline/run/scope.hpp"
#include "freshet/pipeline/steps/pull.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace freshet::pipeline {

/// What decides the logins of an image build.
struct BuildPulls {
  std::string dockerfile;
  std::vector<std::pair<std::string, std::string>> arguments;
  PullOptions options;
};

/// What a build needs to pull.
struct PreparedPulls {
  engine::CredentialSource credentials;
  /// Images that are in the engine by another name than the Dockerfile or an argument has for them:
  /// by a digest the engine knows only what it pulled itself.
  std::map<std::string, std::string> renamed;
};

/// Gets ready what a build pulls.
///
/// The builder asks for one login a host: it gets the one that fits the Dockerfile's images there.
/// Images that need another one (two accounts of one domain), that have a mirror or a fallback, or
/// whose registry the engine cannot reach, are pulled into the engine first, where the builder
/// finds them. When that fails the log says so and the builder tries. Throws what keeps a login
/// from being had; invalid_input for contexts that do not fit.
Awaitable<PreparedPulls> prepare_pulls(Ctx ctx, StepScope scope, BuildPulls pulls);

}  // namespace freshet::pipeline
