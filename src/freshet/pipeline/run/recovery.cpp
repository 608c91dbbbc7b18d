// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/run/recovery.hpp"

#include "freshet/pipeline/run/reclaim/reclaimer.hpp"

#include <fmt/format.h>

#include <array>
#include <functional>
#include <iterator>

namespace freshet::pipeline {
namespace {

using Removal = Awaitable<void> (engine::DockerClient::*)(Ctx, std::string);
using Listing =
    Awaitable<std::vector<engine::LabelledObject>> (engine::DockerClient::*)(Ctx, std::string);

constexpr auto k_conflict_limit = std::chrono::seconds(10);
constexpr auto k_conflict_pause = std::chrono::milliseconds(100);

struct Kind {
  std::string_view name;
  Listing list;
  Removal remove;
};

/// In the order of removal: a volume or network in use cannot go.
constexpr std::array k_kinds{
    Kind{
        "container",
        &engine::DockerClient::list_containers,
        &engine::DockerClient::remove_container},
    Kind{"network", &engine::DockerClient::list_networks, &engine::DockerClient::remove_network},
    Kind{"volume", &engine::DockerClient::list_volumes, &engine::DockerClient::remove_volume},
};

/// One attempt; the error when it failed.
Awaitable<std::optional<Error>> remove_once(
    Ctx ctx, engine::DockerClient& engine, const Kind& kind, std::string id) {
  try {
    co_await (engine.*kind.remove)(ctx, id);
  } catch (const Error& error) {
    co_return error;
  }
  co_return std::nullopt;
}

/// A conflict means that the engine is busy with the object or with one that uses it, such as a
/// container whose removal a process that died had asked for: that passes.
Awaitable<std::optional<std::string>> try_remove(
    Ctx ctx, engine::DockerClient& engine, const Kind& kind, std::string id) {
  const auto give_up = Ctx::Clock::now() + k_conflict_limit;
  for (;;) {
    const std::optional<Error> error = co_await remove_once(ctx, engine, kind, id);
    if (!error) {
      co_return std::nullopt;
    }
    if (error->code() != ErrorCode::conflict || Ctx::Clock::now() > give_up) {
      co_return fmt::format("cannot remove {} {}: {}", kind.name, id, error->message());
    }
    co_await sleep_for(k_conflict_pause);
  }
}

Awaitable<void> remove_kind(
    Ctx ctx,
    engine::DockerClient& engine,
    const Kind& kind,
    std::string label,
    std::vector<std::string>& problems) {
  std::vector<engine::LabelledObject> objects;
  try {
    objects = co_await (engine.*kind.list)(ctx, label);
  } catch (const Error& error) {
    problems.push_back(fmt::format("cannot list {}s to remove: {}", kind.name, error.message()));
  }
  for (const engine::LabelledObject& object : objects) {
    if (auto problem = co_await try_remove(ctx, engine, kind, object.id)) {
      problems.push_back(std::move(*problem));
    }
  }
}

/// Calls `remove`, and once more after what is left of the run has been made ours.
Awaitable<std::vector<std::string>> remove_files(
    Ctx ctx, RunServices services, DeadRun run, std::function<std::vector<std::string>()> remove) {
  std::vector<std::string> problems = remove();
  if (problems.empty()) {
    co_return problems;
  }
  Reclaimer reclaimer(services, run.build_id);
  try {
    for (const fs::path& path : leftovers_of(run.path)) {
      ReclaimPlace place{path};
      co_await reclaimer.own_tree(ctx, std::move(place));
    }
  } catch (const Error& error) {
    problems.push_back(fmt::format(
        "cannot take over what is left of build {}: {}", run.build_id, error.message()));
    co_return problems;
  }
  co_return remove();
}

}  // namespace

Awaitable<std::vector<std::string>> close_run(
    Ctx ctx, RunServices services, RunDirectory& directory, std::string build_id) {
  DeadRun run{std::move(build_id), directory.path()};
  std::function<std::vector<std::string>()> remove = [&directory] { return directory.close(); };
  co_return co_await remove_files(ctx, services, std::move(run), std::move(remove));
}

Awaitable<std::vector<std::string>> remove_engine_objects(
    Ctx ctx, engine::DockerClient& engine, std::string build_id) {
  std::vector<std::string> problems;
  const std::string label = fmt::format("{}={}", k_build_label, build_id);
  for (const Kind& kind : k_kinds) {
    co_await remove_kind(ctx, engine, kind, label, problems);
  }
  co_return problems;
}

Awaitable<std::vector<std::string>> recover_dead_runs(Ctx ctx, RunServices services) {
  std::vector<std::string> told;
  DeadRuns dead(services.data.path());
  for (const DeadRun& run : dead.list()) {
    told.push_back(fmt::format("build {} left something behind: removing it", run.build_id));
    std::vector<std::string> problems =
        co_await remove_engine_objects(ctx, services.engine, run.build_id);
    if (problems.empty()) {
      std::function<std::vector<std::string>()> remove = [&run] {
        return DeadRuns::remove_files(run);
      };
      problems = co_await remove_files(ctx, services, run, std::move(remove));
    }  // else its files still tell the next run that something is left
    std::move(problems.begin(), problems.end(), std::back_inserter(told));
    if (!services.data.builds().find(run.build_id)) {
      continue;  // it died before it was recorded
    }
    services.data.builds().finish(
        run.build_id, model::StepResult::terminated, "its process ended without a word");
  }
  co_return told;
}

}  // namespace freshet::pipeline
