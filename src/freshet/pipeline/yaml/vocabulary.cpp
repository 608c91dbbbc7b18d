// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/yaml/vocabulary.hpp"

#include <array>

namespace freshet::pipeline {

const Words& unsupported_root_keys() {
  static const Words words = {
      "mode",
      "fail_fast",
      "strict_fail_fast",
      "success_criteria",
      "hooks",
      "services",
      "indicators",
      "build_version",
  };
  return words;
}

const Words& unsupported_common_keys() {
  static const Words words = {
      "fail_fast",
      "strict_fail_fast",
      "when",
      "retry",
      "timeout",
      "on_success",
      "on_fail",
      "on_finish",
      "hooks",
      "env",
      "debug",
      "docker_machine",
      "scale",
      "matrix",
  };
  return words;
}

const Words& unsupported_keys(StepType type) {
  static const Words git_clone = {
      "exclude_blobs", "exclude_blob", "skip_tags_on_update", "use_proxy", "credentials"};
  static const Words build = {
      "cache_from",
      "cache_to",
      "squash",
      "metadata",
      "annotations",
      "ssh",
      "secrets",
      "progress",
      "buildx",
      "platform",
      "cosign",
  };
  static const Words push = {};
  static const Words freestyle = {"volumes", "services", "create_file"};
  static const std::array<const Words*, 4> by_type = {&git_clone, &build, &push, &freestyle};
  return *by_type[static_cast<std::size_t>(type)];
}

const Words& unsupported_step_types() {
  static const Words words = {
      "deploy",
      "composition",
      "launch-composition",
      "parallel",
      "push-tag",
      "pending-approval",
      "services",
      "freestyle-ssh",
      "github-action",
      "integration-test",
      "travis",
      "simple_travis",
  };
  return words;
}

const Words& supported_step_types() {
  static const Words words = {"git-clone", "build", "push", "freestyle"};
  return words;
}

const std::vector<Rename>& renames(StepType type) {
  static const std::vector<Rename> build = {
      {"fail-fast", "fail_fast"},
      {"working-directory", "working_directory"},
      {"image-name", "image_name"},
      {"build-arguments", "build_arguments"},
      {"tag-policy", "tag_policy"},
  };
  static const std::vector<Rename> push = {{"fail-fast", "fail_fast"}};
  static const std::vector<Rename> others = {
      {"fail-fast", "fail_fast"},
      {"working-directory", "working_directory"},
  };
  if (type == StepType::build) {
    return build;
  }
  return type == StepType::push ? push : others;
}

}  // namespace freshet::pipeline
