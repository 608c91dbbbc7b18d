// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/aws/step_options.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"
#include "freshet/registries/aws/names.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::registries::aws {
namespace {

using Field = StepOptionProblem::Field;

constexpr std::int64_t k_min_seconds = 900;
constexpr std::int64_t k_max_seconds = 3600;
constexpr std::size_t k_max_shown = 200;

bool has_variable(std::string_view text) {
  return text.find("${{") != std::string_view::npos;
}

std::string shown(std::string_view text) {
  return printable(text, k_max_shown);
}

/// Source: STS API, "AssumeRole", parameter RoleSessionName.
bool is_session_name(std::string_view name) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_+=,.@-").find(c) != std::string_view::npos;
  };
  return name.size() >= 2 && name.size() <= 64 && std::ranges::all_of(name, is_allowed);
}

std::optional<StepOptionProblem> region_problem(
    const std::string& region, const std::optional<model::RegistryIntegration>& registry) {
  if (registry && registry->provider != model::Provider::ecr) {
    return StepOptionProblem{
        Field::region,
        fmt::format(
            "'region' is for registries of Amazon ECR, '{}' is none", shown(registry->name)),
        "leave 'region' out, or name an ECR integration in 'registry'"};
  }
  if (!has_variable(region) && !is_region(region)) {
    return StepOptionProblem{
        Field::region,
        fmt::format("'{}' is not a region of AWS", shown(region)),
        "write one such as 'eu-west-1', or a variable"};
  }
  return std::nullopt;
}

}  // namespace

std::vector<StepOptionProblem> check_step_options(
    const WrittenStepOptions& written, const std::optional<model::RegistryIntegration>& registry) {
  std::vector<StepOptionProblem> problems;
  if (written.region) {
    if (auto problem = region_problem(*written.region, registry)) {
      problems.push_back(std::move(*problem));
    }
  }
  if (written.role_arn && !has_variable(*written.role_arn) && !account_of_role(*written.role_arn)) {
    problems.push_back(
        {Field::role_arn,
         fmt::format("'{}' is not the ARN of a role", shown(*written.role_arn)),
         "write 'arn:aws:iam::ACCOUNT:role/NAME', the account in 12 digits"});
  }
  if (written.session_name && !has_variable(*written.session_name) &&
      !is_session_name(*written.session_name)) {
    problems.push_back(
        {Field::session_name,
         fmt::format("'{}' is not a session name of AWS", shown(*written.session_name)),
         "it has 2 to 64 letters, digits and characters of _+=,.@-"});
  }
  if (written.duration_seconds) {
    if (!written.role_arn) {
      problems.push_back(
          {Field::duration_seconds,
           "'aws_duration_seconds' says how long a role is taken, and there is no 'role_arn'",
           ""});
    }
    if (*written.duration_seconds < k_min_seconds || *written.duration_seconds > k_max_seconds) {
      problems.push_back(
          {Field::duration_seconds,
           fmt::format(
               "'aws_duration_seconds' is {}, it has to be {} to {}",
               *written.duration_seconds,
               k_min_seconds,
               k_max_seconds),
           ""});
    }
  }
  return problems;
}

StepOptions to_step_options(
    const WrittenStepOptions& written, const std::optional<model::RegistryIntegration>& registry) {
  for (StepOptionProblem& problem : check_step_options(written, registry)) {
    throw Error(ErrorCode::invalid_input, std::move(problem.message))
        .with_hint(std::move(problem.hint));
  }
  StepOptions options;
  options.region = written.region.value_or("");
  options.role_arn = written.role_arn.value_or("");
  options.session_name = written.session_name.value_or(options.session_name);
  options.duration = std::chrono::seconds(written.duration_seconds.value_or(k_max_seconds));
  return options;
}

std::string domain_for(const model::RegistryIntegration& integration, const StepOptions& options) {
  const auto own = parse_ecr_domain(integration.domain);
  if (!own || options.is_empty()) {
    return integration.domain;
  }
  const auto account = account_of_role(options.role_arn);
  return make_ecr_domain(
      account.value_or(own->account), options.region.empty() ? own->region : options.region);
}

}  // namespace freshet::registries::aws
