// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/yaml/step_bodies.hpp"

#include "freshet/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::pipeline {
namespace {

YamlPlace place_of(const Text& text) {
  return {text.at.line, text.at.column};
}

/// Warns of capitals, which no registry accepts in the name of a repository. What stands from the
/// first `${{` to the last `}}` is not judged: it is replaced later.
void check_image_name(const Text& name, Findings& findings) {
  const std::string& value = name.value;
  const std::size_t start = std::min(value.find("${{"), value.size());
  const std::size_t last = value.rfind("}}");
  const std::size_t end = last == std::string::npos || last < start ? start : last + 2;
  const std::string lower = to_lower(value.substr(0, start)) + value.substr(start, end - start) +
                            to_lower(value.substr(end));
  if (lower != value) {
    findings.warning(
        place_of(name), "'image_name' should be in lower case", fmt::format("write '{}'", lower));
  }
}

void parse_dockerfile(FieldReader& fields, BuildStep& step, Findings& findings) {
  const YamlEntry* entry = fields.take("dockerfile");
  if (entry == nullptr) {
    return;
  }
  if (entry->value.kind != YamlKind::map) {
    step.dockerfile = fields.text("dockerfile");
    return;
  }
  FieldReader inner(entry->value, entry->key_at, findings, "dockerfile.");
  step.dockerfile_content = inner.required_text("content");
  inner.finish({});
}

void check_excluded(const YamlEntry* entry, const YamlEntry* other, Findings& findings) {
  if (entry != nullptr && other != nullptr) {
    findings.error(
        other->key_at,
        fmt::format("'{}' cannot be used together with '{}'", other->key, entry->key));
  }
}

}  // namespace

GitCloneStep parse_git_clone(FieldReader& fields, Findings& findings) {
  GitCloneStep step;
  step.repo = fields.required_text("repo");
  step.revision = fields.text("revision");
  step.working_directory = fields.text("working_directory");
  step.depth = fields.positive_number("depth");
  step.git = fields.text("git");
  if (step.git && step.git->value != "CF-default") {
    findings.error(
        place_of(*step.git),
        fmt::format("git integration '{}' is not supported yet", step.git->value),
        "leave 'git' out and give 'repo' as a URL");
  }
  return step;
}

BuildStep parse_build(FieldReader& fields, Findings& findings) {
  BuildStep step;
  step.image_name = fields.required_text("image_name");
  check_image_name(step.image_name, findings);
  step.tag = fields.text("tag");
  step.tags = fields.texts("tags");
  const auto policy = fields.choice("tag_policy", {"original", "lowercase"});
  step.tag_policy = policy == 0u ? TagPolicy::original : TagPolicy::lowercase;
  step.working_directory = fields.text("working_directory");
  parse_dockerfile(fields, step, findings);
  step.build_arguments = fields.assignments("build_arguments");
  step.target = fields.text("target");
  step.no_cache = fields.boolean("no_cache").value_or(BoolValue{});
  step.registry = fields.text("registry");
  step.disable_push = fields.boolean("disable_push");
  fields.boolean("buildkit");  // every build goes by BuildKit, so only its form is checked
  return step;
}

PushStep parse_push(FieldReader& fields, Findings& findings) {
  PushStep step;
  step.candidate = fields.required_text("candidate");
  step.tag = fields.text("tag");
  step.tags = fields.texts("tags");
  step.image_name = fields.text("image_name");
  if (step.image_name) {
    check_image_name(*step.image_name, findings);
  }
  step.registry = fields.text("registry");
  return step;
}

FreestyleStep parse_freestyle(FieldReader& fields, Findings& findings) {
  FreestyleStep step;
  step.image = fields.required_text("image");
  step.commands = fields.texts("commands");
  step.cmd = fields.command_words("cmd");
  step.entry_point = fields.command_words("entry_point");
  const auto shell = fields.choice("shell", {"sh", "bash"});
  step.shell = shell == 1u ? Shell::bash : Shell::sh;
  step.working_directory = fields.text("working_directory");
  step.environment = fields.assignments("environment");
  check_excluded(fields.take("cmd"), fields.take("commands"), findings);
  check_excluded(fields.take("cmd"), fields.take("shell"), findings);
  return step;
}

}  // namespace freshet::pipeline
