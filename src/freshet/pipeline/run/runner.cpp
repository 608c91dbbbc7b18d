// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/run/runner.hpp"

#include "freshet/base/error_text.hpp"
#include "freshet/base/text.hpp"
#include "freshet/pipeline/run/git.hpp"
#include "freshet/pipeline/run/reclaim/reclaimer.hpp"
#include "freshet/pipeline/run/recovery.hpp"
#include "freshet/pipeline/steps/steps.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::pipeline {
namespace {

constexpr auto k_creation_limit = std::chrono::seconds(30);
constexpr auto k_cleanup_limit = std::chrono::seconds(60);
constexpr std::size_t k_kept_logs = 100;
constexpr std::string_view k_main_clone = "main_clone";

std::chrono::milliseconds since(Ctx::Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Ctx::Clock::now() - start);
}

StepInfo info_of(const Step& step) {
  return {
      step.name, step.title ? step.title->value : step.name, std::string(to_string(step.type()))};
}

bool is_set(const RunRequest& request, std::string_view name) {
  return std::any_of(request.variables.begin(), request.variables.end(), [&](const auto& variable) {
    return variable.first == name && to_lower(variable.second) == "true";
  });
}

/// The clone that a pipeline without one starts with: the repository that it lies in.
Step implicit_clone(const fs::path& repository, const model::GitFacts& git) {
  Step step;
  step.name = k_main_clone;
  step.title = Text{"Cloning the repository of the pipeline", {}};
  GitCloneStep body;
  body.repo = Text{repository.string(), {}};
  body.revision = Text{git.revision, {}};
  step.body = std::move(body);
  return step;
}

/// Finds the commit that the build is for and adds the clone that the pipeline leaves out.
Awaitable<model::GitFacts> look_at_repository(Ctx ctx, RunRequest& request) {
  const std::optional<fs::path> repository = co_await find_repository(ctx, request.directory);
  if (!repository) {
    co_return model::GitFacts{};
  }
  Git git(*repository, nullptr);
  const std::optional<model::GitFacts> facts = co_await find_git_facts(ctx, git);
  if (!facts) {
    co_return model::GitFacts{};
  }
  if (!uses_main_clone(request.pipeline) && !is_set(request, "CF_SKIP_MAIN_CLONE")) {
    request.pipeline.steps.insert(
        request.pipeline.steps.begin(), implicit_clone(*repository, *facts));
  }
  co_return *facts;
}

Awaitable<StepOutput> run_body(Ctx ctx, StepScope scope) {
  const auto& body = scope.step.body;
  if (const auto* clone = std::get_if<GitCloneStep>(&body)) {
    co_return co_await run_git_clone(ctx, scope, *clone);
  }
  if (const auto* build = std::get_if<BuildStep>(&body)) {
    co_return co_await run_build(ctx, scope, *build);
  }
  if (const auto* push = std::get_if<PushStep>(&body)) {
    co_return co_await run_push(ctx, scope, *push);
  }
  co_return co_await run_freestyle(ctx, scope, std::get<FreestyleStep>(body));
}

std::string frame_of(const Step& step) {
  return step.at.is_known() ? fmt::format("running step '{}' ({})", step.name, to_string(step.at))
                            : fmt::format("running step '{}'", step.name);
}

/// A stop shows as an aborted operation somewhere below.
bool is_stop(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Cancelled&) {
    return true;
  } catch (const boost::system::system_error& error) {
    return error.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

/// One run, from the first step to the last thing removed.
class Run {
 public:
  Run(RunServices services, const Pipeline& pipeline, RunState& state, RunObserver& observer)
      : services_(services), pipeline_(pipeline), state_(state), observer_(observer) {}

  Awaitable<RunOutcome> execute(Ctx ctx) {
    RunOutcome outcome;
    std::size_t next = 0;
    for (; next < pipeline_.steps.size() && outcome.result == model::StepResult::success; ++next) {
      const Step& step = pipeline_.steps[next];
      // A stop leaves the loop as an exception only after the step was told to have ended.
      outcome = co_await execute_step(ctx, step, next);
    }
    for (; next < pipeline_.steps.size(); ++next) {
      observer_.on_step_finished(
          info_of(pipeline_.steps[next]),
          model::StepResult::skipped,
          std::chrono::milliseconds(0),
          nullptr);
    }
    co_return outcome;
  }

 private:
  Awaitable<RunOutcome> execute_step(Ctx ctx, const Step& step, std::size_t index) {
    const auto started = Ctx::Clock::now();
    const StepInfo info = info_of(step);
    observer_.on_step_started(info);
    state_.begin_step(step);
    StepLog log(info, state_.directory().step_log(index, step.name), state_.masker(), observer_);
    const StepScope scope{services_, state_, log, step, index};
    detail::Settled<StepOutput> settled = co_await detail::settle(run_body(ctx, scope));
    log.finish();

    RunOutcome outcome;
    if (settled.failure && is_stop(settled.failure)) {
      outcome.result = model::StepResult::terminated;
    } else if (settled.failure) {
      outcome.result = model::StepResult::failure;
      Error error = to_error(settled.failure);
      error.add_frame(frame_of(step));
      outcome.error =
          error.with_texts([this](std::string_view text) { return state_.masker().mask(text); });
      log.keep(to_terminal(*outcome.error));
    }
    state_.end_step(step, outcome.result, settled.value ? std::move(*settled.value) : StepOutput{});
    observer_.on_step_finished(
        info, outcome.result, since(started), outcome.error ? &*outcome.error : nullptr);
    co_return outcome;
  }

  RunServices services_;
  const Pipeline& pipeline_;
  RunState& state_;
  RunObserver& observer_;
};

Awaitable<void> create_volume(Ctx ctx, RunServices services, RunState& state) {
  engine::VolumeSpec volume;
  volume.name = state.volume_name();
  volume.labels = {
      {std::string(k_owner_label), services.data.owner_id()},
      {std::string(k_build_label), state.build().id},
  };
  volume.driver_options = {
      {"type", "none"}, {"o", "bind"}, {"device", state.workspace().root().string()}};
  co_await services.engine.create_volume(ctx, std::move(volume));
}

/// Lets us and the containers into the volume's folder, whatever an earlier build did to it.
Awaitable<void> open_volume(Ctx ctx, RunServices services, RunState& state) {
  Reclaimer reclaimer(services, state.build().id);
  ReclaimPlace place{state.workspace().root()};
  co_await reclaimer.open_directory(ctx, std::move(place));
  state.workspace().forget_exports();
}

Awaitable<RunOutcome> create_volume_and_execute(
    Ctx ctx, RunServices services, RunState& state, Run& run) {
  co_await open_volume(ctx, services, state);
  // The engine would go on creating it without us, unseen by the clean-up.
  const Ctx creation = ctx.within(k_creation_limit);
  co_await uninterrupted(create_volume(creation, services, state));
  co_return co_await run.execute(ctx);
}

void warn(RunObserver& observer, std::string_view text) {
  observer.on_line(StepInfo{}, 0, fmt::format("warning: {}", text));
}

/// Leaves nothing of the run but its record, its logs and the saved volume.
Awaitable<void> clean_up(RunServices services, RunState& state, RunObserver& observer) {
  const Ctx ctx = Ctx{}.within(k_cleanup_limit);
  const std::vector<std::string> left =
      co_await remove_engine_objects(ctx, services.engine, state.build().id);
  for (const std::string& problem : left) {
    warn(observer, problem);
  }
  try {
    state.workspace().save();
  } catch (const Error& error) {
    warn(observer, error.message());
  }
  if (!left.empty()) {
    warn(observer, "the next run on this data directory tries again");
    co_return;  // the folder stays marked, which is how that run knows
  }
  const Ctx closing = Ctx{}.within(k_cleanup_limit);
  const std::vector<std::string> problems =
      co_await close_run(closing, services, state.directory(), state.build().id);
  for (const std::string& problem : problems) {
    warn(observer, problem);
  }
}

void require_shared_files(const engine::Endpoint& endpoint) {
  if (!endpoint.shares_files()) {
    throw Error(
        ErrorCode::unsupported,
        fmt::format("the engine at {} is on another machine", endpoint.to_string()))
        .with_hint(
            "steps share a folder of this machine with their containers: use an engine here");
  }
}

}  // namespace

Awaitable<RunOutcome> run_pipeline(
    Ctx ctx, RunServices services, RunRequest request, RunObserver& observer) {
  require_shared_files(services.engine.endpoint());
  co_await services.engine.negotiate(ctx);
  for (const std::string& line : co_await recover_dead_runs(ctx, services)) {
    warn(observer, line);
  }
  remove_old_logs(services.data.path(), k_kept_logs);

  model::BuildRecord build;
  build.id = make_id();
  build.pipeline = request.pipeline_name;
  build.started_at = now();
  build.git = co_await look_at_repository(ctx, request);
  const auto started = Ctx::Clock::now();
  RunDirectory directory = RunDirectory::create(services.data.path(), build.id);
  Workspace workspace = Workspace::take(services.data.path(), request.pipeline_name, directory);
  services.data.builds().add(build);  // only now: nothing is left that would keep it from ending
  RunState state(build, std::move(workspace), std::move(directory));
  state.set_cache_switches(request.cache);
  for (const auto& [name, value] : request.variables) {
    state.set_run_variable(name, value);
  }
  std::vector<StepInfo> steps;
  std::transform(
      request.pipeline.steps.begin(),
      request.pipeline.steps.end(),
      std::back_inserter(steps),
      info_of);
  observer.on_build_started(build, steps);

  Run run(services, request.pipeline, state, observer);
  RunOutcome outcome;
  const detail::Settled<RunOutcome> settled =
      co_await detail::settle(create_volume_and_execute(ctx, services, state, run));
  // From here on nothing may be interrupted: what the run made has to go.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  if (settled.value) {
    outcome = *settled.value;
  } else {
    const bool stopped = is_stop(settled.failure);
    outcome.result = stopped ? model::StepResult::terminated : model::StepResult::failure;
    outcome.error = stopped ? std::nullopt : std::optional(to_error(settled.failure));
  }
  co_await clean_up(services, state, observer);
  services.data.builds().finish(
      build.id, outcome.result, outcome.error ? outcome.error->message() : "");
  model::BuildRecord ended = build;
  ended.result = outcome.result;
  observer.on_build_finished(ended, since(started), state.directory().logs().string());
  co_return outcome;
}

}  // namespace freshet::pipeline
