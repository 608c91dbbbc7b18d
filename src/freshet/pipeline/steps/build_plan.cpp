// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/build_plan.hpp"

#include "freshet/base/text.hpp"
#include "freshet/dockerfile/file.hpp"
#include "freshet/pipeline/checks/build_push.hpp"
#include "freshet/pipeline/steps/publish.hpp"
#include "freshet/registries/naming.hpp"

#include <fmt/format.h>

namespace freshet::pipeline {
namespace {

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

engine::BuildRequest make_request(
    const StepScope& scope, const BuildStep& step, const BuildPlan& plan) {
  RunState& run = scope.run;
  engine::BuildRequest request;
  request.context_directory = run.workspace().host_path(plan.directory);
  if (!fs::is_directory(request.context_directory)) {
    throw Error(
        ErrorCode::not_found, fmt::format("there is no build context at '{}'", plan.directory))
        .at(step.working_directory ? step.working_directory->at : scope.step.at);
  }
  request.dockerfile = plan.dockerfile.source;
  if (step.target) {
    request.target = run.expand(*step.target);
  }
  request.build_arguments = expand_arguments(run, step.build_arguments);
  request.labels = git_labels(run.git());
  request.no_cache = run.resolve_bool(step.no_cache, "no_cache") || run.cache_switches().no_cache;
  request.source_key = fmt::format("{}{}", run.build().pipeline, plan.directory);
  return request;
}

std::string find_switch(const RunState& run, const BuildStep& step) {
  if (run.cache_switches().no_cache) {
    return "'--no-cache' was given";
  }
  if (run.cache_switches().no_cf_cache) {
    return "'--no-cf-cache' was given";
  }
  if (run.resolve_bool(step.no_cache, "no_cache")) {
    return "'no_cache' is set";
  }
  return run.resolve_bool(step.no_cf_cache, "no_cf_cache") ? "'no_cf_cache' is set" : "";
}

}  // namespace

Awaitable<BuildPlan> make_build_plan(Ctx ctx, StepScope scope, BuildStep step) {
  RunState& run = scope.run;
  BuildPlan plan;
  plan.image_name = run.expand(step.image_name);
  run.require_resolved(step.image_name, plan.image_name, "image_name");
  const bool lower_case = step.tag_policy != TagPolicy::original;
  plan.tags = resolve_tags(run, step.tag, step.tags, default_tag(run), lower_case);
  plan.directory = run.resolve_directory(step.working_directory);
  plan.dockerfile = find_dockerfile(scope, step, plan.directory);
  plan.target = co_await find_destination(ctx, scope, step);
  for (const std::string& tag : plan.tags) {
    plan.references.push_back(
        plan.target ? compose(
                          *plan.target,
                          plan.image_name,
                          registries::NameSource::build_image_name,
                          tag,
                          step.image_name.at)
                    : local_reference(plan.image_name, tag, step.image_name.at));
  }
  plan.request = make_request(scope, step, plan);
  plan.pulls = make_pull_options(scope, step.registry_contexts, step.aws);
  plan.switch_off = find_switch(run, step);
  co_return plan;
}

}  // namespace freshet::pipeline
