// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/text.hpp"
#include "freshet/dockerfile/file.hpp"
#include "freshet/dockerfile/lookup.hpp"
#include "freshet/engine/buildkit/builder.hpp"
#include "freshet/pipeline/checks/build_push.hpp"
#include "freshet/pipeline/steps/base_images.hpp"
#include "freshet/pipeline/steps/build_logins.hpp"
#include "freshet/pipeline/steps/build_progress.hpp"
#include "freshet/pipeline/steps/image_records.hpp"
#include "freshet/pipeline/steps/publish.hpp"
#include "freshet/pipeline/steps/steps.hpp"
#include "freshet/registries/naming.hpp"

#include <fmt/format.h>

namespace freshet::pipeline {
namespace {

/// The Dockerfile as the builder gets it and as the image's record keeps it.
struct Dockerfile {
  std::variant<engine::DockerfilePath, engine::DockerfileText> source;
  std::string text;
  std::string shown_name;
};

Dockerfile find_dockerfile(
    const StepScope& scope, const BuildStep& step, const std::string& directory) {
  if (step.dockerfile_content) {
    const std::string text = scope.run.expand(*step.dockerfile_content);
    return {engine::DockerfileText{text}, text, "inline Dockerfile"};
  }
  std::string name = "Dockerfile";
  if (step.dockerfile) {
    name = scope.run.expand(*step.dockerfile);
    scope.run.require_resolved(*step.dockerfile, name, "dockerfile");
  }
  // Appended to the context even when it is absolute; `..` may leave the context, not the volume.
  const std::string inside = join_container_path("/", directory + "/" + name);
  const fs::path path = scope.run.workspace().host_path(inside);
  if (!fs::is_regular_file(path)) {
    throw Error(ErrorCode::not_found, fmt::format("no Dockerfile found at '{}'", inside))
        .at(step.dockerfile ? step.dockerfile->at : scope.step.at)
        .with_hint("'dockerfile' is relative to 'working_directory', the build context");
  }
  return {engine::DockerfilePath{path}, load_file(path, dockerfile::k_max_file_bytes), name};
}

engine::Labels git_labels(const model::GitFacts& git) {
  engine::Labels labels;
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) {
      labels.emplace_back(fmt::format("io.codefresh.repo.{}", name), value);
    }
  };
  add("branch", git.branch);
  add("name", git.repo_name);
  add("owner", git.repo_owner);
  add("sha", git.revision);
  labels.emplace_back("io.codefresh.repo.type", "yml");
  return labels;
}

std::vector<std::pair<std::string, std::string>> expand_arguments(
    const RunState& run, const std::vector<Text>& arguments) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const Text& argument : arguments) {
    const std::string expanded = run.expand(argument);
    const std::size_t equals = expanded.find('=');
    out.emplace_back(
        expanded.substr(0, equals), equals == std::string::npos ? "" : expanded.substr(equals + 1));
  }
  return out;
}

/// Names the Dockerfile's line of the instruction that failed.
Error explain(const engine::BuildFailed& failure, const Dockerfile& dockerfile) {
  Error error = failure;
  const dockerfile::File file = dockerfile::parse(dockerfile.text);
  const dockerfile::Instruction* culprit =
      dockerfile::find_instruction(file.instructions, failure.vertex_name());
  if (culprit != nullptr) {
    error.set_position_if_unknown({dockerfile.shown_name, culprit->line, 1});
  }
  return error;
}

/// Where a successful build's image goes.
Awaitable<std::optional<Destination>> find_destination(
    Ctx ctx, StepScope scope, const BuildStep& step) {
  BuildPushWish wish;
  wish.names_registry = step.registry.has_value();
  if (step.disable_push) {
    wish.disable_push = scope.run.resolve_bool(*step.disable_push, "disable_push");
  }
  const model::PushMode mode = scope.services.integrations.push_mode();
  auto target = scope.services.integrations.default_integration();
  switch (decide_build_push(wish, mode, target.has_value())) {
    case BuildPush::to_named:
      target = co_await find_registry(ctx, scope, *step.registry);
      break;
    case BuildPush::to_default:
      break;
    case BuildPush::disabled:
      scope.log.line("Not pushed: 'disable_push' is set");
      co_return std::nullopt;
    case BuildPush::kept:
      scope.log.line("Not pushed: the step names no registry and the push mode is 'never'");
      co_return std::nullopt;
    case BuildPush::no_default:
      scope.log.line("Not pushed: the step names no registry and none is the default");
      co_return std::nullopt;
    case BuildPush::refused:
      throw Error(ErrorCode::invalid_input, "the step does not say where its image is pushed")
          .at(scope.step.at)
          .with_hint("name a 'registry', or set 'disable_push' to true");
  }
  co_return make_destination(scope, std::move(*target), step.aws);
}

/// The name of an image that stays in the engine.
oci::Reference local_reference(
    const std::string& name, const std::string& tag, const SourcePosition& at) {
  try {
    oci::Reference reference = oci::Reference::parse(name);
    reference.tag = tag;
    return reference;
  } catch (Error& error) {
    error.set_position_if_unknown(at);
    throw;
  }
}

std::string default_tag(const RunState& run) {
  for (const std::string_view name : {"CF_BRANCH_TAG_NORMALIZED", "CF_REVISION"}) {
    const std::optional<std::string> value = run.variables().find(name);
    if (value && !value->empty()) {
      return *value;
    }
  }
  return "latest";
}

/// The builder gets the names by which the engine has what was pulled for it.
void use_renamed(
    engine::BuildRequest& request,
    const std::string& dockerfile,
    const std::map<std::string, std::string>& names) {
  if (names.empty()) {
    return;
  }
  std::string text = rename_base_images(dockerfile, names);
  if (auto* file = std::get_if<engine::DockerfilePath>(&request.dockerfile)) {
    file->text = std::move(text);
  } else {
    request.dockerfile = engine::DockerfileText{std::move(text)};
  }
  for (auto& [argument, value] : request.build_arguments) {
    const auto renamed = names.find(value);
    value = renamed == names.end() ? value : renamed->second;
  }
}

Awaitable<engine::BuildResult> build_image(
    Ctx ctx,
    StepScope scope,
    const BuildStep& step,
    const Dockerfile& dockerfile,
    std::string directory) {
  RunState& run = scope.run;
  engine::BuildRequest request;
  request.context_directory = run.workspace().host_path(directory);
  if (!fs::is_directory(request.context_directory)) {
    throw Error(ErrorCode::not_found, fmt::format("there is no build context at '{}'", directory))
        .at(step.working_directory ? step.working_directory->at : scope.step.at);
  }
  request.dockerfile = dockerfile.source;
  if (step.target) {
    request.target = run.expand(*step.target);
  }
  request.build_arguments = expand_arguments(run, step.build_arguments);
  request.labels = git_labels(run.git());
  request.no_cache = run.resolve_bool(step.no_cache, "no_cache");
  request.source_key = fmt::format("{}{}", run.build().pipeline, directory);
  BuildPulls pulls;
  pulls.dockerfile = dockerfile.text;
  pulls.arguments = request.build_arguments;
  pulls.options = make_pull_options(scope, step.registry_contexts, step.aws);
  PreparedPulls prepared = co_await prepare_pulls(ctx, scope, std::move(pulls));
  request.credentials = std::move(prepared.credentials);
  use_renamed(request, dockerfile.text, prepared.renamed);

  BuildProgress progress(scope.log);
  engine::ProgressSink on_progress = [&progress](const engine::ProgressUpdate& update) {
    progress.apply(update);
  };
  std::optional<Error> failure;
  try {
    const engine::BuildResult result =
        co_await scope.services.builder.build(ctx, std::move(request), std::move(on_progress));
    const BuildProgress::CacheCount count = progress.count_cached();
    scope.log.finish();
    scope.log.line(fmt::format(
        "Built {}: {} of {} instructions cached, {} of context sent",
        result.config_digest.substr(0, 19),
        count.cached,
        count.total,
        human_size(result.context_bytes_sent)));
    co_return result;
  } catch (const engine::BuildFailed& failed) {
    failure = explain(failed, dockerfile);
  }
  throw *failure;
}

}  // namespace

Awaitable<StepOutput> run_build(Ctx ctx, StepScope scope, BuildStep step) {
  RunState& run = scope.run;
  const std::string name = run.expand(step.image_name);
  run.require_resolved(step.image_name, name, "image_name");
  const bool lower_case = step.tag_policy != TagPolicy::original;
  const std::vector<std::string> tags =
      resolve_tags(run, step.tag, step.tags, default_tag(run), lower_case);
  const std::string directory = run.resolve_directory(step.working_directory);
  const Dockerfile dockerfile = find_dockerfile(scope, step, directory);
  // Composed before the build: a name that cannot be pushed must not cost a build first.
  const std::optional<Destination> target = co_await find_destination(ctx, scope, step);
  std::vector<oci::Reference> references;
  for (const std::string& tag : tags) {
    references.push_back(
        target
            ? compose(
                  *target, name, registries::NameSource::build_image_name, tag, step.image_name.at)
            : local_reference(name, tag, step.image_name.at));
  }

  const auto started = Ctx::Clock::now();
  const engine::BuildResult built = co_await build_image(ctx, scope, step, dockerfile, directory);
  const std::string& image_id = built.image_id;
  model::ImageRecord record = co_await describe_image(ctx, scope, image_id, built.config_digest);
  record.image_name = name;
  record.dockerfile = run.masker().mask(dockerfile.text);  // an inline one may hold a secret
  record.build_duration_ms = milliseconds_since(started);
  co_await save_image(scope, record);

  StepOutput output;
  output.working_directory = directory;
  output.image = StepImage{image_id, built.config_digest, name, tags.front(), {}};
  output.members = {
      {"imageId", record.internal_image_id},
      {"imageName", name},
      {"imageTagName", name + ":" + tags.front()}};
  if (target) {
    const auto push_started = Ctx::Clock::now();
    PublishRequest request{*target, references};
    const Published published = co_await publish(ctx, scope, image_id, std::move(request));
    record.push_duration_ms = milliseconds_since(push_started);
    record.tags = published.tags;
    record.repo_digest = published.repo_digest;
    output.image->repo_digests.push_back(published.repo_digest);
    co_await save_image(scope, record);
  } else {
    for (const oci::Reference& reference : references) {
      co_await scope.services.engine.tag_image(ctx, image_id, reference.name(), reference.tag);
    }
  }
  scope.log.image(record);
  co_return output;
}

}  // namespace freshet::pipeline
