// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/expressions/variables.hpp"

namespace freshet::pipeline {
namespace {

constexpr std::string_view k_steps_prefix = "steps.";
constexpr std::string_view k_working_directory = "workingDirectory";

}  // namespace

void Variables::set(VariableSource source, std::string name, std::string value) {
  layers_[static_cast<std::size_t>(source)].insert_or_assign(std::move(name), std::move(value));
}

void Variables::set_all(VariableSource source, const std::vector<NamedValue>& values) {
  for (const auto& [name, value] : values) {
    set(source, name, value);
  }
}

std::optional<std::string> Variables::find(std::string_view name) const {
  for (const Layer& layer : layers_) {
    if (const auto found = layer.find(name); found != layer.end()) {
      return found->second;
    }
  }
  return std::nullopt;
}

std::vector<NamedValue> Variables::environment(
    const std::vector<std::string>& step_environment) const {
  Layer merged = layers_[static_cast<std::size_t>(VariableSource::exported)];
  Layer own;
  for (const std::string& entry : step_environment) {
    const std::size_t equals = entry.find('=');
    if (equals != std::string::npos && equals > 0) {
      own.insert_or_assign(entry.substr(0, equals), entry.substr(equals + 1));
    }
  }
  merged.merge(own);  // keeps what is there
  for (const VariableSource source : {VariableSource::run, VariableSource::system}) {
    Layer layer = layers_[static_cast<std::size_t>(source)];
    merged.merge(layer);
  }
  return {merged.begin(), merged.end()};
}

Lookup Variables::lookup() const {
  return [this](std::string_view name) { return find(name); };
}

void StepOutputs::set(const std::string& step, std::string member, std::string value) {
  steps_[step].members.insert_or_assign(std::move(member), std::move(value));
}

void StepOutputs::set_image(const std::string& step, std::string reference) {
  steps_[step].image = std::move(reference);
}

void StepOutputs::set_directory(const std::string& step, std::string directory) {
  set(step, std::string(k_working_directory), directory);
  steps_[step].directory = std::move(directory);
}

std::optional<std::string> StepOutputs::find(std::string_view name, Bare bare) const {
  if (const auto step = steps_.find(name); step != steps_.end()) {
    return bare == Bare::image ? step->second.image : step->second.directory;
  }
  if (name.starts_with(k_steps_prefix)) {
    if (auto value = find_member(name.substr(k_steps_prefix.size()))) {
      return value;
    }
  }
  return find_member(name);  // a step may itself be named `steps`
}

std::optional<std::string> StepOutputs::find_member(std::string_view path) const {
  const std::size_t dot = path.find('.');  // step names hold no dots
  if (dot == std::string_view::npos) {
    return std::nullopt;
  }
  const auto step = steps_.find(path.substr(0, dot));
  if (step == steps_.end()) {
    return std::nullopt;
  }
  const auto member = step->second.members.find(path.substr(dot + 1));
  return member == step->second.members.end() ? std::nullopt : std::optional(member->second);
}

Lookup StepOutputs::lookup(Bare bare) const {
  return [this, bare](std::string_view name) { return find(name, bare); };
}

}  // namespace freshet::pipeline
