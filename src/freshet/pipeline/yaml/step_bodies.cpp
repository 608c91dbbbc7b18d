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

AwsFields parse_aws(FieldReader& fields, Findings& findings) {
  AwsFields aws;
  aws.region = fields.text("region");
  aws.role_arn = fields.text("role_arn");
  aws.session_name = fields.text("aws_session_name");
  aws.duration_seconds = fields.positive_number("aws_duration_seconds");
  if (const YamlEntry* entry = fields.take("aws_duration_seconds")) {
    aws.duration_at = findings.position(entry->value.at);
  }
  return aws;
}

/// Who builds. There is one builder, so that only its form is of interest.
void parse_build_provider(FieldReader& fields, Findings& findings) {
  const YamlEntry* entry = fields.take("provider");
  if (entry == nullptr) {
    return;
  }
  if (entry->value.kind != YamlKind::map) {
    findings.error(entry->value.at, "'provider' must be a map", "such as: {type: cf}");
    return;
  }
  FieldReader inner(entry->value, entry->key_at, findings, "provider.");
  const YamlEntry* type = inner.take("type");
  if (inner.choice("type", {"cf", "gcb"}) == 1u) {
    findings.error(type->value.at, "build provider 'gcb' is not supported yet");
  }
  inner.take("arguments");  // all of them are of gcb
  inner.finish({});
}

std::optional<InlineCredentials> parse_credentials(FieldReader& fields, Findings& findings) {
  const YamlEntry* entry = fields.take("credentials");
  if (entry == nullptr) {
    return std::nullopt;
  }
  if (entry->value.kind != YamlKind::map) {
    findings.error(
        entry->value.at, "'credentials' must be a map", "it has a 'username' and a 'password'");
    return std::nullopt;
  }
  FieldReader inner(entry->value, entry->key_at, findings, "credentials.");
  InlineCredentials credentials;
  credentials.username = inner.required_text("username");
  credentials.password = inner.required_text("password");
  inner.finish({});
  return credentials;
}

std::optional<PushProvider> parse_push_provider(FieldReader& fields) {
  const auto choice = fields.choice("provider", {"docker", "standard", "ecr"});
  if (!choice) {
    return std::nullopt;
  }
  return *choice == 2 ? PushProvider::ecr : PushProvider::docker;  // `standard` is an alias
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
  step.no_cf_cache = fields.boolean("no_cf_cache").value_or(BoolValue{});
  step.registry = fields.text("registry");
  step.disable_push = fields.boolean("disable_push");
  step.registry_contexts = fields.texts("registry_contexts");
  step.aws = parse_aws(fields, findings);
  parse_build_provider(fields, findings);
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
  step.registry_context = fields.text("registry_context");
  step.provider = parse_push_provider(fields);
  if (const YamlEntry* entry = fields.take("provider")) {
    step.provider_at = findings.position(entry->value.at);
  }
  step.credentials = parse_credentials(fields, findings);
  step.access_key_id = fields.text("accessKeyId");
  step.secret_access_key = fields.text("secretAccessKey");
  step.aws = parse_aws(fields, findings);
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
  step.registry_context = fields.text("registry_context");
  step.role_arn = fields.text("role_arn");
  check_excluded(fields.take("cmd"), fields.take("commands"), findings);
  check_excluded(fields.take("cmd"), fields.take("shell"), findings);
  return step;
}

}  // namespace freshet::pipeline
