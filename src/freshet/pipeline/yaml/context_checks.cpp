// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/yaml/context_checks.hpp"

#include "freshet/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::pipeline {
namespace {

struct Registries {
  const std::vector<std::string>& names;
  bool has_default = false;
};

/// Whether a name is meant as a host or URL and not as the name of an integration.
bool is_web_address(std::string_view name) {
  return name.find_first_of("./:") != std::string_view::npos;
}

bool has_variable(std::string_view text) {
  return text.find("${{") != std::string_view::npos;
}

bool is_always_true(const std::optional<BoolValue>& value) {
  return value && !value->expression && value->constant;
}

void check_name(const Text& registry, const Registries& known, Diagnostics& diagnostics) {
  const std::string& name = registry.value;
  if (has_variable(name) || std::count(known.names.begin(), known.names.end(), name) > 0) {
    return;
  }
  const auto suggestion = nearest(name, known.names);
  if (!suggestion && is_web_address(name)) {
    diagnostics.error(
        registry.at,
        fmt::format("'{}' is a web address, inline credentials are not supported yet", name),
        "connect it with 'freshet registry add' and write the integration's name");
    return;
  }
  diagnostics.error(
      registry.at,
      fmt::format("registry '{}' does not exist", name),
      suggestion ? fmt::format("did you mean '{}'?", *suggestion)
                 : "connect it with 'freshet registry add'");
}

void check_build(
    const Step& step, const BuildStep& build, const Registries& known, Diagnostics& diagnostics) {
  if (build.registry) {
    check_name(*build.registry, known, diagnostics);
    return;
  }
  if (!known.has_default && !is_always_true(build.disable_push)) {
    diagnostics.warning(
        step.at,
        fmt::format(
            "the image of step '{}' will not be pushed, no default registry is set", step.name),
        "name a 'registry', or set a default with 'freshet registry set-default'");
  }
}

void check_push(
    const Step& step, const PushStep& push, const Registries& known, Diagnostics& diagnostics) {
  const bool names_address = push.registry && is_web_address(push.registry->value);
  if (known.names.empty() && !names_address) {
    diagnostics.error(
        step.at,
        fmt::format("step '{}' pushes an image, but no registry is connected", step.name),
        "connect one with 'freshet registry add'");
    return;
  }
  if (push.registry) {
    check_name(*push.registry, known, diagnostics);
    return;
  }
  if (known.names.size() > 1) {
    diagnostics.warning(
        step.at,
        fmt::format("step '{}' names no registry, it pushes to the default one", step.name),
        fmt::format("connected are {}", join(known.names, ", ")));
  }
}

}  // namespace

void check_registries(
    const Pipeline& pipeline,
    const std::vector<std::string>& known_registry_names,
    bool has_default,
    Diagnostics& diagnostics) {
  const Registries known{known_registry_names, has_default};
  for (const Step& step : pipeline.steps) {
    if (const auto* build = std::get_if<BuildStep>(&step.body)) {
      check_build(step, *build, known, diagnostics);
    } else if (const auto* push = std::get_if<PushStep>(&step.body)) {
      check_push(step, *push, known, diagnostics);
    }
  }
}

}  // namespace freshet::pipeline
