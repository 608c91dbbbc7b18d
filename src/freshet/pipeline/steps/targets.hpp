// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/reference.hpp"
#include "freshet/pipeline/run/scope.hpp"
#include "freshet/pipeline/steps/publish.hpp"
#include "freshet/registries/naming.hpp"

#include <cstdint>
#include <string>

namespace freshet::pipeline {

/// The integration that a step's `registry` names. Throws not_found at the field, offering the
/// nearest known name.
model::RegistryIntegration find_registry(const StepScope& scope, const Text& name);

/// The reference that a name gets in a registry, with `at` in the error when it cannot be.
oci::Reference compose(
    const model::RegistryIntegration& target,
    const std::string& name,
    registries::NameSource source,
    const std::string& tag,
    const SourcePosition& at);

/// The name of an image that stays in the engine.
oci::Reference local_reference(
    const std::string& name, const std::string& tag, const SourcePosition& at);

/// Stores a record without blocking the run.
Awaitable<void> save_image(StepScope scope, model::ImageRecord record);

/// Adds what was pushed to the image's record, making one for an image that was not built here.
Awaitable<model::ImageRecord> record_push(
    Ctx ctx,
    StepScope scope,
    std::string image_id,
    std::string name,
    Published published,
    std::int64_t push_ms);

std::int64_t milliseconds_since(Ctx::Clock::time_point start);

}  // namespace freshet::pipeline
