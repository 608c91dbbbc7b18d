// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/pipeline/run/scope.hpp"
#include "freshet/pipeline/steps/build_key.hpp"

namespace freshet::pipeline {

/// Tells in the log, before a build, from which instruction of each stage on past images have no
/// results, and why: compared with the step's last build. Trouble is a warning in the log.
Awaitable<void> explain_misses(StepScope scope, const BuildKey& key);

/// Keeps what the step's next build will be compared with. Trouble is a warning in the log.
Awaitable<void> remember_build(StepScope scope, const BuildKey& key);

}  // namespace freshet::pipeline
