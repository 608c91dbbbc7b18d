// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/run/scope.hpp"

#include "freshet/base/text.hpp"
#include "freshet/pipeline/expressions/git_variables.hpp"
#include "freshet/pipeline/expressions/interpolation.hpp"
#include "freshet/pipeline/yaml/boolean.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

namespace freshet::pipeline {
namespace {

constexpr std::string_view k_main_clone = "main_clone";
constexpr std::string_view k_steps_prefix = "steps.";

std::string user_name() {
  const passwd* entry = ::getpwuid(::geteuid());
  return entry != nullptr ? entry->pw_name : std::to_string(::geteuid());
}

std::string_view without_steps_prefix(std::string_view name) {
  return name.starts_with(k_steps_prefix) ? name.substr(k_steps_prefix.size()) : name;
}

}  // namespace

RunState::RunState(model::BuildRecord build, Workspace workspace, RunDirectory directory)
    : build_(std::move(build)),
      workspace_(std::move(workspace)),
      directory_(std::move(directory)),
      volume_name_("freshet-" + build_.id) {
  const std::vector<NamedValue> system{
      {"CI", "true"},
      {"CF_BUILD_ID", build_.id},
      {"CF_BUILD_TIMESTAMP", std::to_string(build_.started_at.time_since_epoch().count())},
      {"CF_BUILD_TRIGGER", "build"},
      {"CF_BUILD_INITIATOR", user_name()},
      {"CF_PIPELINE_NAME", build_.pipeline},
      {"CF_VOLUME_NAME", volume_name_},
      {"CF_VOLUME_PATH", std::string(k_volume_path)},
  };
  variables_.set_all(VariableSource::system, system);
  set_git_facts(build_.git);
}

void RunState::set_run_variable(std::string name, std::string value) {
  variables_.set(VariableSource::run, std::move(name), std::move(value));
}

void RunState::set_export(std::string name, std::string value, bool masked) {
  if (masked) {
    masker_.add(value);
  }
  variables_.set(VariableSource::exported, std::move(name), std::move(value));
}

void RunState::set_git_facts(model::GitFacts facts) {
  build_.git = std::move(facts);
  variables_.set_all(VariableSource::system, git_variables(build_.git));
}

void RunState::begin_step(const Step& step) {
  variables_.set(VariableSource::system, "CF_STEP_NAME", step.name);
}

void RunState::end_step(const Step& step, model::StepResult result, StepOutput output) {
  outputs_.set(step.name, "name", step.name);
  outputs_.set(step.name, "type", std::string(to_string(step.type())));
  outputs_.set(step.name, "description", step.description ? expand(*step.description) : "");
  outputs_.set(step.name, "result", std::string(model::to_string(result)));
  for (const auto& [member, value] : output.members) {
    outputs_.set(step.name, member, value);
  }
  if (!output.working_directory.empty()) {
    outputs_.set_directory(step.name, output.working_directory);
  }
  if (output.image) {
    outputs_.set_image(step.name, output.image->id);
  }
  finished_[step.name] = std::move(output);
}

std::string RunState::expand(const Text& text) const {
  return expand(text.value, StepOutputs::Bare::directory);
}

std::string RunState::expand(std::string_view text, StepOutputs::Bare bare) const {
  return interpolate(text, first_of({variables_.lookup(), outputs_.lookup(bare)}));
}

std::string RunState::resolve_directory(const std::optional<Text>& text) const {
  const auto clone = finished_.find(k_main_clone);
  const std::string base = clone != finished_.end() && !clone->second.working_directory.empty()
                               ? clone->second.working_directory
                               : std::string(k_volume_path);
  if (!text) {
    return base;
  }
  const std::string expanded = expand(*text);
  require_resolved(*text, expanded, "working_directory");
  return join_container_path(base, expanded);
}

bool RunState::resolve_bool(const BoolValue& value, std::string_view field) const {
  return resolve(value, field, [this](std::string_view text) {
    return expand(text, StepOutputs::Bare::directory);
  });
}

const StepImage* RunState::find_image_by_id(std::string_view id) const {
  for (const auto& [name, output] : finished_) {
    if (output.image && (output.image->id == id || output.image->config_digest == id ||
                         output.image->config_digest == fmt::format("sha256:{}", id))) {
      return &*output.image;
    }
  }
  return nullptr;
}

const StepImage* RunState::find_step_image(const Text& text) const {
  const std::optional<std::string> name = sole_variable(trim(text.value));
  const auto found = name ? finished_.find(without_steps_prefix(*name)) : finished_.end();
  return found != finished_.end() && found->second.image ? &*found->second.image : nullptr;
}

void RunState::require_resolved(
    const Text& text, std::string_view expanded, std::string_view what) const {
  const std::vector<VariableUse> unresolved = find_variables(expanded);
  if (unresolved.empty()) {
    return;
  }
  std::vector<std::string> known;
  for (const auto& [name, output] : finished_) {
    known.push_back(name);
  }
  for (const auto& [name, value] : variables_.environment({})) {
    known.push_back(name);
  }
  std::string hint = "it is neither a variable nor a step that ran before this one";
  if (const std::optional<std::string> close = nearest(unresolved.front().name, known)) {
    hint += fmt::format("; did you mean '${{{{{}}}}}'?", *close);
  }
  throw Error(
      ErrorCode::invalid_input,
      fmt::format("'{}' uses '${{{{{}}}}}', which is not known", what, unresolved.front().name))
      .at(text.at)
      .with_hint(hint);
}

}  // namespace freshet::pipeline
