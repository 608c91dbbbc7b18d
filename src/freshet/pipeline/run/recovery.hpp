// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/pipeline/run/scope.hpp"

#include <string>
#include <vector>

namespace freshet::pipeline {

/// Removes every container, network and volume of one build from the engine; returns what could not
/// be removed. Never throws an Error.
Awaitable<std::vector<std::string>> remove_engine_objects(
    Ctx ctx, engine::DockerClient& engine, std::string build_id);

/// Removes what a run that has ended left on disk but its logs, taking over first what containers
/// made as another user; returns what could not be removed, and the run is then looked at again by
/// `recover_dead_runs`. Never throws an Error.
Awaitable<std::vector<std::string>> close_run(
    Ctx ctx, RunServices services, RunDirectory& directory, std::string build_id);

/// Deals with the runs whose process died or could not clean up: removes what they left in the
/// engine and on disk and ends their records. Returns one line for each, and for what could not be
/// removed; a run that something is left of is looked at again by the next call.
Awaitable<std::vector<std::string>> recover_dead_runs(Ctx ctx, RunServices services);

}  // namespace freshet::pipeline
