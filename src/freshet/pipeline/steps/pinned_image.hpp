// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/reference.hpp"
#include "freshet/pipeline/run/scope.hpp"
#include "freshet/pipeline/steps/pull.hpp"

#include <string>

namespace freshet::pipeline {

/// An image that a Dockerfile names, as a build would get it now.
struct PinnedImage {
  std::string written;  // as the Dockerfile has it
  oci::Reference reference;
  /// `sha256:…` of the registry; `engine sha256:…` of an image that only the engine has.
  std::string digest;
  std::string engine_id;  // of the engine's copy; empty: it has none
  bool was_asked = false;  // the registry told the digest
  bool has_moved = false;  // the registry has another one than the engine
};

/// Finds out what an image is. Builds take the engine's copy where there is one: of one that came
/// from a registry, or went there from here, the registry is asked all the same; when it does not
/// answer, the engine's copy counts, and the log says so.
/// Throws invalid_input for what is no reference; for an image that the engine does not have, what
/// its registry answers.
Awaitable<PinnedImage> pin_image(
    Ctx ctx, StepScope scope, std::string written, PullOptions options);

/// Whether it still is the same, in the registry and in the engine.
Awaitable<bool> is_unchanged(Ctx ctx, StepScope scope, PinnedImage image, PullOptions options);

}  // namespace freshet::pipeline
