// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/model/image.hpp"
#include "freshet/pipeline/run/scope.hpp"
#include "freshet/pipeline/steps/publish.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace freshet::pipeline {

/// What the engine tells about an image, as the start of its record. `config_digest` is `sha256:…`;
/// empty: it is to be found out.
Awaitable<model::ImageRecord> describe_image(
    Ctx ctx, StepScope scope, std::string image_id, std::string config_digest);

/// `sha256:…` without the algorithm, as records identify images.
std::string internal_image_id(std::string_view config_digest);

/// The stored record of an image, by the digest of its configuration.
Awaitable<std::optional<model::ImageRecord>> find_record(
    StepScope scope, std::string config_digest);

/// Stores a record without blocking the run.
Awaitable<void> save_image(StepScope scope, model::ImageRecord record);

/// Makes the record of an image that this step did not build: the run's commit says nothing about
/// it.
model::ImageRecord as_foreign(
    const StepScope& scope, model::ImageRecord described, std::string name);

/// Adds to `record` what was pushed, stores and returns it.
Awaitable<model::ImageRecord> record_push(
    StepScope scope, model::ImageRecord record, Published published, std::int64_t push_ms);

std::int64_t milliseconds_since(Ctx::Clock::time_point start);

}  // namespace freshet::pipeline
