// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/reference.hpp"
#include "freshet/pipeline/run/scope.hpp"

#include <string>
#include <vector>

namespace freshet::pipeline {

enum class PullPolicy {
  always,  // what the registry has now
  when_stale,  // the engine's copy, unless the registry is known to have moved the tag
};

/// Makes `reference` present in the engine, pulling it with the credentials of the integration for
/// its registry, and returns its id.
///
/// `when_stale`: a copy in the engine that came from a registry is compared with the registry's
/// digest by one short request; when the registry cannot be asked, the copy is used and the log
/// says so.
/// Throws what the engine's pull throws.
Awaitable<std::string> pull_image(
    Ctx ctx, StepScope scope, oci::Reference reference, PullPolicy policy);

/// The id of an image of this run, pulled back by digest when the engine lost it.
Awaitable<std::string> make_present(Ctx ctx, StepScope scope, StepImage image);

/// The id of the image that a step's `image` means: another step's, or a reference.
Awaitable<std::string> resolve_image(Ctx ctx, StepScope scope, Text text);

/// A login in the form in which the engine takes it; masked in the run's output from now on.
engine::RegistryAuth to_engine_auth(RunState& run, const registries::RegistryLogin& login);

/// The digests under which the engine knows `image` in the repository of `reference`.
std::vector<std::string> digests_of(
    const engine::ImageDetails& image, const oci::Reference& reference);

/// Parses with the place in the pipeline in the error.
oci::Reference parse_reference(const std::string& text, const SourcePosition& at);

/// The path of a reference as the user typed it, without registry, tag and digest: the logical name
/// of an image that was not built here.
std::string name_without_registry(const std::string& text);

}  // namespace freshet::pipeline
