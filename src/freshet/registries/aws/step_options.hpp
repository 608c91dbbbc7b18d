// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/model/registry.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace freshet::registries::aws {

/// What a step says about AWS, as it was written.
struct WrittenStepOptions {
  std::optional<std::string> region;
  std::optional<std::string> role_arn;
  std::optional<std::string> session_name;  // `aws_session_name`
  std::optional<std::int64_t> duration_seconds;  // `aws_duration_seconds`
};

/// The same once it was checked and variables were put in.
struct StepOptions {
  std::string region;  // empty: the integration's
  std::string role_arn;  // empty: none but the integration's
  std::string session_name = "default-session-name";
  std::chrono::seconds duration{3600};

  bool is_empty() const { return region.empty() && role_arn.empty(); }
  auto operator<=>(const StepOptions&) const = default;
};

/// One thing that is wrong with them.
struct StepOptionProblem {
  enum class Field { region, role_arn, session_name, duration_seconds };

  Field field;
  std::string message;
  std::string hint;  // may be empty
};

/// Everything that is wrong. `registry` is the integration that the step names, if that is known; a
/// value that holds a variable is taken as right.
std::vector<StepOptionProblem> check_step_options(
    const WrittenStepOptions& written, const std::optional<model::RegistryIntegration>& registry);

/// Throws invalid_input with the first thing that is wrong; nothing holds variables any more.
StepOptions to_step_options(
    const WrittenStepOptions& written, const std::optional<model::RegistryIntegration>& registry);

/// Where the images of `integration` are for a step with these options: in the account of the role
/// and in the region, where the step names them.
std::string domain_for(const model::RegistryIntegration& integration, const StepOptions& options);

}  // namespace freshet::registries::aws
