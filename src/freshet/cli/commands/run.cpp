// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/diagnostics.hpp"
#include "freshet/base/error_text.hpp"
#include "freshet/cli/commands/commands.hpp"
#include "freshet/cli/progress/progress.hpp"
#include "freshet/engine/buildkit/builder.hpp"
#include "freshet/pipeline/checks/registry_checks.hpp"
#include "freshet/pipeline/run/runner.hpp"
#include "freshet/pipeline/yaml/pipeline.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace freshet::cli {
namespace {

constexpr std::string_view k_default_file = "codefresh.yml";
constexpr std::size_t k_max_file_bytes = 1 << 20;
constexpr int k_exit_stopped = 130;

struct RunOptions {
  std::string path = ".";
  std::string name;
  std::vector<std::string> variables;
  std::string progress = "auto";
  pipeline::CacheSwitches cache;
};

fs::path find_file(const std::string& path) {
  std::error_code code;
  const fs::path file =
      fs::is_directory(path, code) ? fs::path(path) / k_default_file : fs::path(path);
  if (!fs::exists(file, code)) {
    throw Error(ErrorCode::not_found, fmt::format("there is no '{}'", file.string()))
        .with_hint("give the folder that holds codefresh.yml, or the file itself");
  }
  return file.lexically_normal();
}

std::vector<std::pair<std::string, std::string>> parse_variables(
    const std::vector<std::string>& texts) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw Error(ErrorCode::invalid_input, fmt::format("'{}' is not a variable", text))
          .with_hint("write --var NAME=value");
    }
    out.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

/// Parses and checks the file; all findings go to standard error. nullopt when it cannot run.
std::optional<pipeline::Pipeline> load_pipeline(Runtime& runtime, const fs::path& file) {
  const std::string text = load_file(file, k_max_file_bytes);
  const auto check = [connected = runtime.integrations().list(),
                      push_mode = runtime.integrations().push_mode()](
                         const pipeline::Pipeline& read, Diagnostics& findings) {
    pipeline::check_registries(read, connected, push_mode, findings);
  };
  pipeline::ParsedPipeline parsed = pipeline::parse_pipeline(text, file.string(), check);
  std::fputs(render(parsed.diagnostics, text).c_str(), stderr);
  return parsed.diagnostics.has_errors() ? std::nullopt : std::move(parsed.pipeline);
}

std::string default_name(const fs::path& file) {
  const fs::path folder = fs::absolute(file).lexically_normal().parent_path();
  return folder.filename().empty() ? "pipeline" : folder.filename().string();
}

/// Runs until its end; the first SIGINT or SIGTERM stops it in good order, the second at once.
pipeline::RunOutcome run_until_stopped(
    Runtime& runtime, pipeline::RunRequest request, pipeline::RunObserver& observer) {
  engine::ImageBuilder builder(runtime.engine());
  const pipeline::RunServices services{
      runtime.engine(),
      builder,
      runtime.integrations(),
      runtime.connections(),
      runtime.mover(),
      runtime.data(),
      runtime.pool()};
  asio::signal_set signals(runtime.io(), SIGINT, SIGTERM);
  asio::cancellation_signal stop;
  bool is_stopping = false;
  std::function<void(boost::system::error_code, int)> on_signal =
      [&](boost::system::error_code code, int) {
        if (code) {
          return;
        }
        if (is_stopping) {
          std::_Exit(k_exit_stopped);
        }
        is_stopping = true;
        std::fputs("stopping: cleaning up (again to stop at once)\n", stderr);
        stop.emit(asio::cancellation_type::terminal);
        signals.async_wait(on_signal);
      };
  signals.async_wait(on_signal);

  std::exception_ptr failure;
  pipeline::RunOutcome outcome;
  auto on_end = [&](std::exception_ptr problem, pipeline::RunOutcome ended) {
    failure = problem;
    outcome = std::move(ended);
    signals.cancel();
    runtime.engine().close_idle_connections();
  };
  asio::co_spawn(
      runtime.io(),
      pipeline::run_pipeline(Ctx{}, services, std::move(request), observer),
      asio::bind_cancellation_slot(stop.slot(), std::move(on_end)));
  runtime.io().run();
  if (failure && is_stopping) {
    throw Cancelled(StopReason::user);
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
  return outcome;
}

int run_command(Runtime& runtime, const RunOptions& options) {
  const ProgressMode mode = parse_progress_mode(options.progress);
  const fs::path file = find_file(options.path);
  pipeline::RunRequest request;
  request.variables = parse_variables(options.variables);
  std::optional<pipeline::Pipeline> parsed = load_pipeline(runtime, file);
  if (!parsed) {
    return exit_code_of(ErrorCode::invalid_input);
  }
  request.pipeline = std::move(*parsed);
  request.cache = options.cache;
  request.pipeline_name = options.name.empty() ? default_name(file) : options.name;
  request.directory = fs::absolute(file).parent_path();

  const std::shared_ptr<pipeline::RunObserver> observer =
      make_progress(mode, stdout, runtime.io().get_executor());
  runtime.set_notice(
      [observer](std::string_view line) { observer->on_line(pipeline::StepInfo{}, 0, line); });
  const pipeline::RunOutcome outcome = run_until_stopped(runtime, std::move(request), *observer);
  if (outcome.error) {
    // The last thing that the user sees.
    if (mode != ProgressMode::json) {
      std::fputs(to_terminal(*outcome.error).c_str(), stderr);
    }
    return std::max(1, exit_code_of(outcome.error->code()));
  }
  return outcome.result == model::StepResult::terminated ? k_exit_stopped : 0;
}

}  // namespace

void add_run_command(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("run", "Run a pipeline here and now");
  const auto options = std::make_shared<RunOptions>();
  command->add_option(
      "PATH", options->path, "Folder with codefresh.yml, or the file (default: here)");
  command->add_option("--var", options->variables, "A variable for this run; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  command->add_option("--name", options->name, "Name of the pipeline (default: the folder's)");
  command->add_flag(
      "--no-cache", options->cache.no_cache, "Build every instruction anew, in all build steps");
  command->add_flag(
      "--no-cf-cache",
      options->cache.no_cf_cache,
      "Build although an image of the same inputs was built before");
  command->add_option("--progress", options->progress, "auto, tty, plain or json")
      ->type_name("MODE");
  command->footer(
      "Examples:\n"
      "  freshet run\n"
      "  freshet run examples/hello --var REPO_URL=https://example.com/me/hello.git\n"
      "  freshet run --progress json | jq 'select(.event == \"image\")'");
  command->callback([options, &action] {
    action = [options](Runtime& runtime) { return run_command(runtime, *options); };
  });
}

}  // namespace freshet::cli
