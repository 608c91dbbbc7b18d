// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/files.hpp"
#include "freshet/pipeline/steps/publish.hpp"

#include <string>

namespace freshet::pipeline {

/// Lets the engine tag and push the image: the last way, when it cannot be read from here.
///
/// The engine pushes by name, so that a name is held by one run of this data directory at a time,
/// and afterwards the pushed digest is checked to be that of the image meant.
/// Throws unsupported for a registry that the engine cannot reach as its integration says; what the
/// engine's push throws; conflict when another program moved the name meanwhile.
Awaitable<Published> push_by_engine(
    Ctx ctx, StepScope scope, std::string image_id, PublishRequest request);

/// Waits for the right to move the names of one repository in the engine, and says so.
Awaitable<FileLock> lock_repository(StepScope scope, std::string name);

/// Throws unsupported, with the reason, for a registry that the engine cannot reach as its
/// integration says. Pure.
void require_engine_reach(const Destination& destination);

}  // namespace freshet::pipeline
