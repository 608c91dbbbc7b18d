// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/text.hpp"
#include "freshet/pipeline/expressions/exports.hpp"
#include "freshet/pipeline/run/reclaim/reclaimer.hpp"
#include "freshet/pipeline/steps/image_source.hpp"
#include "freshet/pipeline/steps/script.hpp"
#include "freshet/pipeline/steps/steps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace freshet::pipeline {
namespace {

constexpr std::string_view k_image_directory = "IMAGE_WORK_DIR";
/// Where the container finds the step's script and `cf_export`, read-only.
constexpr std::string_view k_step_files = "/codefresh/step";
constexpr std::size_t k_max_exports_bytes = 4 << 20;
constexpr auto k_creation_limit = std::chrono::seconds(60);
constexpr auto k_removal_limit = std::chrono::seconds(30);

bool is_environment_name(std::string_view name) {
  const auto is_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), is_word);
}

std::vector<std::string> expand_all(const RunState& run, const std::vector<Text>& texts) {
  std::vector<std::string> out;
  for (const Text& text : texts) {
    out.push_back(run.expand(text));
  }
  return out;
}

std::vector<std::string> environment_of(const RunState& run, const FreestyleStep& step) {
  std::vector<std::string> out;
  for (const auto& [name, value] : run.variables().environment(expand_all(run, step.environment))) {
    if (is_environment_name(name)) {
      out.push_back(name + "=" + value);
    }
  }
  return out;
}

/// A program's words; one string is cut as a shell would.
std::vector<std::string> expand_words(const RunState& run, const CommandWords& words) {
  std::vector<std::string> out = expand_all(run, words.words);
  return words.is_one_string ? split_words(out.at(0)) : out;
}

/// What the container runs: a script of the commands, or the image's program with other words.
void set_program(const StepScope& scope, const FreestyleStep& step, engine::ContainerSpec& spec) {
  if (!step.commands.empty()) {
    const fs::path folder = scope.run.directory().make_step_files(scope.index);
    write_step_files(folder, expand_all(scope.run, step.commands));
    spec.mounts.push_back(
        {engine::Mount::Kind::bind, folder.string(), std::string(k_step_files), true});
    const std::string shell = step.shell == Shell::bash ? "/bin/bash" : "/bin/sh";
    spec.entry_point = {shell, fmt::format("{}/{}", k_step_files, k_script_name)};
    spec.command.emplace();  // not the image's own
    return;
  }
  if (step.entry_point) {
    spec.entry_point = expand_words(scope.run, *step.entry_point);
  }
  if (step.cmd) {
    spec.command = expand_words(scope.run, *step.cmd);
  }
}

engine::ContainerSpec make_spec(
    const StepScope& scope,
    const FreestyleStep& step,
    std::string image,
    const std::string& directory) {
  engine::ContainerSpec spec;
  spec.image = std::move(image);
  spec.user = "0:0";
  spec.environment = environment_of(scope.run, step);
  spec.working_directory = directory;
  spec.labels = {
      {std::string(k_owner_label), scope.services.data.owner_id()},
      {std::string(k_build_label), scope.run.build().id},
      {std::string(k_step_label), scope.step.name},
  };
  spec.mounts.push_back(
      {engine::Mount::Kind::volume, scope.run.volume_name(), std::string(k_volume_path), false});
  set_program(scope, step, spec);
  return spec;
}

/// Takes over what the step exported, also when it failed, and empties the files.
void take_exports(const StepScope& scope) {
  const fs::path root = scope.run.workspace().root();
  const fs::path exports = root / "env_vars_to_export";
  const fs::path masked = root / "env_vars_to_mask";
  const auto take = [](const fs::path& file) {
    // The container may have put anything there: only a plain file is read.
    const bool is_plain = fs::symlink_status(file).type() == fs::file_type::regular;
    const std::string text = is_plain ? load_file(file, k_max_exports_bytes) : std::string();
    std::error_code code;
    fs::remove(file, code);
    return text;
  };
  const std::vector<std::string> hidden = split(take(masked), '\n');
  const Exports found = parse_exports(take(exports));
  for (const auto& [name, value] : found.variables) {
    const bool is_masked = std::find(hidden.begin(), hidden.end(), name) != hidden.end();
    scope.run.set_export(name, value, is_masked);
  }
  if (!found.rejected.empty()) {
    // Not shown: the rest of a secret of several lines would be among them.
    scope.log.line(fmt::format(
        "warning: {} lines of env_vars_to_export are not NAME=VALUE and were left out",
        found.rejected.size()));
  }
}

Awaitable<int> run_container(Ctx ctx, StepScope scope, std::string container) {
  using namespace asio::experimental::awaitable_operators;
  engine::DockerClient& docker = scope.services.engine;
  const std::unique_ptr<engine::ContainerOutput> output = co_await docker.attach(ctx, container);
  std::function<void(engine::OutputStream, std::string_view)> on_bytes =
      [&scope](engine::OutputStream stream, std::string_view bytes) {
        scope.log.feed(stream == engine::OutputStream::standard_output ? -1 : -2, bytes);
      };
  co_await docker.start_container(ctx, container);
  co_await output->read_all(ctx, std::move(on_bytes));
  scope.log.finish();
  co_return co_await docker.wait_for_exit(ctx, container);
}

}  // namespace

Awaitable<StepOutput> run_freestyle(Ctx ctx, StepScope scope, FreestyleStep step) {
  engine::DockerClient& docker = scope.services.engine;
  std::vector<Text> contexts;
  if (step.registry_context) {
    contexts.push_back(*step.registry_context);
  }
  AwsFields aws;
  aws.role_arn = step.role_arn;
  PullOptions options = make_pull_options(scope, contexts, aws);
  const std::string image = co_await resolve_image(ctx, scope, step.image, std::move(options));
  StepOutput output;
  std::string directory;  // empty: the image's own
  if (!step.working_directory || trim(step.working_directory->value) != k_image_directory) {
    output.working_directory = directory = scope.run.resolve_directory(step.working_directory);
  }
  // The engine would go on creating it without us, unseen by the clean-up.
  const std::string container = co_await uninterrupted(docker.create_container(
      ctx.within(k_creation_limit), make_spec(scope, step, image, directory)));
  const auto settled = co_await detail::settle(run_container(ctx, scope, container));
  if (settled.failure) {
    // A stopped run may not wait here any more: its end removes the container by its label.
    std::rethrow_exception(settled.failure);
  }
  const Ctx removal = Ctx{}.within(k_removal_limit);
  co_await docker.remove_container(removal, container);
  Reclaimer reclaimer(scope.services, scope.run.build().id);
  ReclaimPlace volume{scope.run.workspace().root()};
  co_await reclaimer.open_directory(ctx, std::move(volume));
  take_exports(scope);
  if (*settled.value != 0) {
    throw Error(
        ErrorCode::step_failed,
        fmt::format("step '{}' ended with exit code {}", scope.step.name, *settled.value));
  }
  co_return output;
}

}  // namespace freshet::pipeline
