// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/reference.hpp"
#include "freshet/pipeline/run/scope.hpp"
#include "freshet/pipeline/steps/pull.hpp"

#include <string>

namespace freshet::pipeline {

/// The id of an image of this run, pulled by digest when the engine does not have it (any more).
Awaitable<std::string> make_present(Ctx ctx, StepScope scope, StepImage image, PullOptions options);

/// The id of the image that a step's `image` means: another step's, or a reference.
Awaitable<std::string> resolve_image(Ctx ctx, StepScope scope, Text text, PullOptions options);

/// Parses with the place in the pipeline in the error.
oci::Reference parse_reference(const std::string& text, const SourcePosition& at);

/// The path of a reference as the user typed it, without registry, tag and digest: the logical name
/// of an image that was not built here.
std::string name_without_registry(const std::string& text);

}  // namespace freshet::pipeline
