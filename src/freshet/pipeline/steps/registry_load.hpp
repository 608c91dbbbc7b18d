// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/pipeline/run/scope.hpp"
#include "freshet/pipeline/steps/pull.hpp"

#include <string>

namespace freshet::pipeline {

/// Pulls an image with Freshet's own client and hands it to the engine, for registries that the
/// engine cannot reach as their integration says. Returns its id.
///
/// The layers go through as the registry has them, one after the other, with bounded memory; their
/// digests are verified here, their diff ids by the engine, before it has anything of the image.
/// Nothing is transferred when the engine has the image. It gets the name that a pull would give
/// it; an engine gives a digest to what it pulled itself only, so there that name is `loaded_name`.
/// Throws what `RegistryClient` and the engine throw, corrupt_data.
/// Source: github.com/moby/moby, image/spec/v1.2.md ("Combined Image JSON + Filesystem Changeset").
Awaitable<std::string> load_from_registry(
    Ctx ctx, StepScope scope, registries::PullCandidate way, PullOptions options);

/// `domain/path:sha256-…`, by which the engine knows an image that was loaded by that digest; any
/// other reference as it is, with its tag.
oci::Reference loaded_name(oci::Reference reference);

}  // namespace freshet::pipeline
