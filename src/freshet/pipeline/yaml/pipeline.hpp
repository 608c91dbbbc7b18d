// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/diagnostics.hpp"
#include "freshet/base/error.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace freshet::pipeline {

/// A text of the file that may hold `${{…}}`, and where it stands.
struct Text {
  std::string value;
  SourcePosition at;
};

/// A boolean field: known already, or known once the variables of `expression` are put in.
/// `resolve` of yaml/boolean.hpp gives its value.
struct BoolValue {
  bool constant = false;
  std::optional<Text> expression;
};

/// A program's arguments: written as a list, or as one string.
struct CommandWords {
  std::vector<Text> words;  // exactly one when `is_one_string`
  bool is_one_string = false;
};

struct GitCloneStep {
  Text repo;  // owner/name or a URL
  std::optional<Text> revision;  // absent: the default branch
  std::optional<Text> working_directory;
  std::optional<int> depth;  // at least 1
  std::optional<Text> git;  // only ever `CF-default`
};

/// What a step says about Amazon ECR beside the integration; `pipeline/checks` judges it.
struct AwsFields {
  std::optional<Text> region;
  std::optional<Text> role_arn;
  std::optional<Text> session_name;  // `aws_session_name`
  std::optional<int> duration_seconds;  // `aws_duration_seconds`
  SourcePosition duration_at;
};

enum class TagPolicy { lowercase, original };

struct BuildStep {
  Text image_name;
  std::optional<Text> tag;
  std::vector<Text> tags;
  TagPolicy tag_policy = TagPolicy::lowercase;
  std::optional<Text> working_directory;
  std::optional<Text> dockerfile;  // a path; absent: `Dockerfile`
  std::optional<Text> dockerfile_content;  // the Dockerfile itself; then `dockerfile` is absent
  std::vector<Text> build_arguments;  // KEY=value
  std::optional<Text> target;
  BoolValue no_cache;
  BoolValue no_cf_cache;  // whether images that were built before do not count
  std::optional<Text> registry;
  std::optional<BoolValue> disable_push;  // absent: as the account has it
  std::vector<Text> registry_contexts;  // integrations to pull with
  AwsFields aws;
};

/// A login that a step carries itself.
struct InlineCredentials {
  Text username;
  Text password;
};

/// Whose API gives the login of a push without an integration.
enum class PushProvider { docker, ecr };

struct PushStep {
  Text candidate;  // `${{build_step}}` or an image reference
  std::optional<Text> tag;
  std::vector<Text> tags;
  std::optional<Text> image_name;  // absent: the candidate's
  std::optional<Text> registry;  // an integration, or a host
  std::optional<Text> registry_context;  // integration to pull the candidate with
  std::optional<PushProvider> provider;
  SourcePosition provider_at;
  std::optional<InlineCredentials> credentials;
  std::optional<Text> access_key_id;
  std::optional<Text> secret_access_key;
  AwsFields aws;
};

enum class Shell { sh, bash };

struct FreestyleStep {
  Text image;
  std::vector<Text> commands;  // empty: the image's own entry point runs
  std::optional<CommandWords> cmd;  // excludes `commands`
  std::optional<CommandWords> entry_point;
  Shell shell = Shell::sh;
  std::optional<Text> working_directory;
  std::vector<Text> environment;  // KEY=value
  std::optional<Text> registry_context;  // integration to pull `image` with
  std::optional<Text> role_arn;  // to pull from Amazon ECR
};

/// In the order of the alternatives of `Step::body`.
enum class StepType { git_clone, build, push, freestyle };

/// As pipelines write it, e.g. `git-clone`.
std::string_view to_string(StepType type);

struct Step {
  std::string name;
  SourcePosition at;  // of the name
  std::optional<Text> title;
  std::optional<Text> description;
  std::string stage;  // one of `Pipeline::stages`, or empty
  std::variant<GitCloneStep, BuildStep, PushStep, FreestyleStep> body;

  StepType type() const { return static_cast<StepType>(body.index()); }
};

struct Pipeline {
  std::string version;  // always "1.0"
  std::vector<std::string> stages;
  std::vector<Step> steps;  // in the order of the file; names are unique
};

/// What a file is checked against beside its own rules, e.g. the connected registries. It gets what
/// could be read, also of a file with errors.
using PipelineCheck = std::function<void(const Pipeline& pipeline, Diagnostics& diagnostics)>;

struct ParsedPipeline {
  std::optional<Pipeline> pipeline;  // absent when there are errors
  Diagnostics diagnostics;
};

/// Reads a pipeline file. All findings are reported, not only the first; what the language has but
/// this program does not do yet is an error, so that nothing in a file is ever ignored.
/// `file_name` is only used in positions.
ParsedPipeline parse_pipeline(
    std::string_view text, std::string file_name, const PipelineCheck& check = {});

/// Whether a step is named `main_clone`: it then is the clone that later steps start from.
bool uses_main_clone(const Pipeline& pipeline);

}  // namespace freshet::pipeline
