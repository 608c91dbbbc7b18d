// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/pipeline/run/events.hpp"
#include "freshet/pipeline/run/scope.hpp"
#include "freshet/pipeline/yaml/pipeline.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace freshet::pipeline {

struct RunRequest {
  Pipeline pipeline;
  std::string pipeline_name;
  std::vector<std::pair<std::string, std::string>> variables;
  CacheSwitches cache;
  /// Folder of the pipeline file. When it lies in a git repository, that repository gives the
  /// commit, and is cloned first for a pipeline without a `main_clone` step of its own.
  fs::path directory;
};

struct RunOutcome {
  model::StepResult result = model::StepResult::success;
  /// Of the step that ended the run.
  std::optional<Error> error;
};

/// Runs a pipeline step by step to its end. A failing step ends it: the others are skipped.
///
/// Before it starts, what runs of dead processes left behind is removed. Whatever happens
/// (cancellation of the coroutine too), the run's containers, networks and volume are removed, its
/// record is ended, and its step logs stay on disk.
/// Throws what keeps a run from starting: no engine, an engine on another machine (unsupported).
Awaitable<RunOutcome> run_pipeline(
    Ctx ctx, RunServices services, RunRequest request, RunObserver& observer);

}  // namespace freshet::pipeline
