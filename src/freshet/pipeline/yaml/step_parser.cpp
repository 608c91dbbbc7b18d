// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/yaml/step_parser.hpp"

#include "freshet/base/text.hpp"
#include "freshet/pipeline/yaml/step_bodies.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace freshet::pipeline {
namespace {

constexpr std::size_t k_max_name_length = 150;
constexpr std::string_view k_reserved_in_names = ".#$[]";

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

void check_name(const YamlEntry& entry, Findings& findings) {
  if (entry.key.empty()) {
    findings.error(entry.key_at, "a step needs a name");
  }
  if (entry.key.find_first_of(k_reserved_in_names) != std::string::npos) {
    findings.error(
        entry.key_at, fmt::format("step name '{}' must not contain . # $ [ ]", entry.key));
  }
  const std::size_t length = code_points(entry.key);
  if (length > k_max_name_length) {
    findings.error(
        entry.key_at,
        fmt::format("step name is {} characters, the limit is {}", length, k_max_name_length));
  }
}

/// Puts the entries of `arguments` into the step, where they win over what is there.
void flatten_arguments(YamlNode& step, Findings& findings) {
  const auto found = std::find_if(step.entries.begin(), step.entries.end(), [](const auto& entry) {
    return entry.key == "arguments";
  });
  if (found == step.entries.end()) {
    return;
  }
  const YamlNode arguments = std::move(found->value);
  step.entries.erase(found);
  if (arguments.kind == YamlKind::null) {
    return;
  }
  if (arguments.kind != YamlKind::map) {
    findings.error(arguments.at, "'arguments' must be a map");
    return;
  }
  for (const YamlEntry& argument : arguments.entries) {
    const auto same =
        std::find_if(step.entries.begin(), step.entries.end(), [&](const auto& entry) {
          return entry.key == argument.key;
        });
    if (same == step.entries.end()) {
      step.entries.push_back(argument);
    } else {
      *same = argument;
    }
  }
}

std::optional<StepType> find_type(const YamlNode& step, Findings& findings) {
  const YamlEntry* entry = step.find("type");
  if (entry == nullptr) {
    return StepType::freestyle;
  }
  const YamlNode& type = entry->value;
  if (type.kind != YamlKind::string || type.text.empty()) {
    findings.error(type.at, "'type' must be a string");
    return std::nullopt;
  }
  const Words& supported = supported_step_types();
  const auto found = std::find(supported.begin(), supported.end(), type.text);
  if (found != supported.end()) {
    return static_cast<StepType>(found - supported.begin());
  }
  const Words& known = unsupported_step_types();
  if (std::find(known.begin(), known.end(), type.text) != known.end()) {
    findings.error(type.at, fmt::format("step type '{}' is not supported yet", type.text));
    return std::nullopt;
  }
  const auto suggestion = nearest(type.text, supported);
  findings.error(
      type.at,
      fmt::format("custom step type '{}' is not supported yet", type.text),
      suggestion ? fmt::format("did you mean '{}'?", *suggestion) : "");
  return std::nullopt;
}

void rename_old_spellings(YamlNode& step, StepType type, Findings& findings) {
  for (const auto& [old_name, new_name] : renames(type)) {
    const auto found = std::find_if(
        step.entries.begin(), step.entries.end(), [name = old_name](const auto& entry) {
          return entry.key == name;
        });
    if (found == step.entries.end()) {
      continue;
    }
    if (step.find(new_name) != nullptr) {
      findings.error(
          found->key_at,
          fmt::format("cannot rename '{}' to '{}', which is there as well", old_name, new_name),
          fmt::format("keep only '{}'", new_name));
      step.entries.erase(found);
      continue;
    }
    found->key = std::string(new_name);
  }
}

std::string parse_stage(
    FieldReader& fields, const std::vector<std::string>& stages, Findings& findings) {
  const auto stage = fields.text("stage");
  if (!stage) {
    return {};
  }
  if (std::find(stages.begin(), stages.end(), stage->value) == stages.end()) {
    const auto suggestion = nearest(stage->value, stages);
    findings.error(
        {stage->at.line, stage->at.column},
        fmt::format("'stage' must be one of [{}]", join(stages, ", ")),
        suggestion ? fmt::format("did you mean '{}'?", *suggestion)
                   : fmt::format("add '{}' to 'stages' at the top of the file", stage->value));
    return {};
  }
  return stage->value;
}

void parse_body(Step& step, StepType type, FieldReader& fields, Findings& findings) {
  switch (type) {
    case StepType::git_clone:
      step.body = parse_git_clone(fields, findings);
      break;
    case StepType::build:
      step.body = parse_build(fields, findings);
      break;
    case StepType::push:
      step.body = parse_push(fields, findings);
      break;
    case StepType::freestyle:
      step.body = parse_freestyle(fields, findings);
      break;
  }
}

}  // namespace

std::optional<Step> parse_step(
    const YamlEntry& entry, const std::vector<std::string>& stages, Findings& findings) {
  check_name(entry, findings);
  if (entry.value.kind != YamlKind::map) {
    findings.error(entry.value.at, fmt::format("step '{}' must be a map", entry.key));
    return std::nullopt;
  }
  YamlNode map = entry.value;
  flatten_arguments(map, findings);
  const auto type = find_type(map, findings);
  if (!type) {
    return std::nullopt;  // what its fields mean is unknown
  }
  rename_old_spellings(map, *type, findings);

  Step step;
  step.name = entry.key;
  step.at = findings.position(entry.key_at);
  FieldReader fields(map, entry.key_at, findings);
  fields.take("type");
  fields.take("arguments");
  step.title = fields.text("title");
  step.description = fields.text("description");
  step.stage = parse_stage(fields, stages, findings);
  parse_body(step, *type, fields, findings);
  fields.finish({&unsupported_common_keys(), &unsupported_keys(*type)});
  return step;
}

}  // namespace freshet::pipeline
