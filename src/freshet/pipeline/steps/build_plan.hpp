// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/buildkit/builder.hpp"
#include "freshet/oci/reference.hpp"
#include "freshet/pipeline/run/scope.hpp"
#include "freshet/pipeline/steps/destination.hpp"
#include "freshet/pipeline/steps/pull.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace freshet::pipeline {

/// The Dockerfile as the builder gets it and as the image's record keeps it.
struct Dockerfile {
  std::variant<engine::DockerfilePath, engine::DockerfileText> source;
  std::string text;
  std::string shown_name;
};

/// A build step with all its variables put in.
struct BuildPlan {
  std::string image_name;  // logical name
  std::vector<std::string> tags;
  std::string directory;  // the context, in containers
  Dockerfile dockerfile;
  std::optional<Destination> target;  // absent: the image stays in the engine
  std::vector<oci::Reference> references;  // one per tag: of the target, or local names
  engine::BuildRequest request;  // before anything was pulled for it
  PullOptions pulls;
  /// What keeps images that were built before from being used, such as `'no_cache' is set`; empty:
  /// nothing does.
  std::string switch_off;
};

/// Reads the step. Everything that can be refused is, before a build costs anything. Throws
/// invalid_input and not_found at the field.
Awaitable<BuildPlan> make_build_plan(Ctx ctx, StepScope scope, BuildStep step);

}  // namespace freshet::pipeline
