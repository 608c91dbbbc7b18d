// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/ids.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace freshet::model {

enum class StepResult { pending, running, success, failure, skipped, terminated };

std::string_view to_string(StepResult result);
std::optional<StepResult> step_result_from_string(std::string_view name);

/// What git says about the commit that a build is for; empty texts where it says nothing.
struct GitFacts {
  std::string repo_owner;
  std::string repo_name;
  std::string branch;
  std::string revision;  // full commit hash
  std::string commit_author;
  std::string commit_message;
  std::string commit_url;
};

/// One run of a pipeline.
struct BuildRecord {
  std::string id;
  std::string pipeline;
  StepResult result = StepResult::running;
  std::string reason;  // why it ended when not by its own steps; may be empty
  GitFacts git;
  UnixTime started_at{};
  std::optional<UnixTime> finished_at;
};

}  // namespace freshet::model
