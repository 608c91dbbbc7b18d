// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/reference.hpp"
#include "freshet/pipeline/run/scope.hpp"
#include "freshet/registries/aws/step_options.hpp"
#include "freshet/registries/pull_plan.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace freshet::pipeline {

enum class PullPolicy {
  always,  // what the registry has now
  when_stale,  // the engine's copy, unless the registry is known to have moved the tag
};

/// What a step says about how it pulls.
struct PullOptions {
  std::vector<std::string> contexts;  // names of the integrations to pull with, where they fit
  registries::aws::StepOptions aws;  // the role to take; never a region, which references say
};

/// Reads them, with variables put in. Throws invalid_input at the field.
PullOptions make_pull_options(
    const StepScope& scope, const std::vector<Text>& contexts, const AwsFields& aws);

/// What a step says about Amazon ECR, with variables put in. `registry` is the integration that it
/// is said of, if that is known. Throws invalid_input at the field.
registries::aws::StepOptions resolve_aws_options(
    const StepScope& scope,
    const AwsFields& fields,
    const std::optional<model::RegistryIntegration>& registry);

/// The ways to get `reference` from registries, best first. Throws as
/// `registries::require_contexts`.
Awaitable<std::vector<registries::PullCandidate>> plan_pull(
    Ctx ctx, StepScope scope, oci::Reference reference, PullOptions options);

/// A client for one of these ways; its password is masked in the run's output from now on.
Awaitable<std::shared_ptr<oci::RegistryClient>> open_registry(
    Ctx ctx, StepScope scope, registries::PullCandidate candidate, PullOptions options);

/// The login for one of these ways as the engine wants it, masked; nullopt: anonymous.
Awaitable<std::optional<engine::RegistryAuth>> find_engine_auth(
    Ctx ctx, StepScope scope, registries::PullCandidate candidate, PullOptions options);

/// Makes `reference` present in the engine by the best way that works, and returns its id. A way is
/// given up after retries, and the log names what is tried instead.
///
/// `when_stale`: a copy in the engine that came from a registry, or that went there from here, is
/// compared with what the registry has by one short request; when the registry cannot be asked, the
/// copy is used and the log says so.
/// Throws what the engine's pull from the reference's own registry throws.
Awaitable<std::string> pull_image(
    Ctx ctx, StepScope scope, oci::Reference reference, PullPolicy policy, PullOptions options);

/// The digests under which the engine knows `image` in the repository of `reference`.
std::vector<std::string> digests_of(
    const engine::ImageDetails& image, const oci::Reference& reference);

/// The digests under which the engine knows `image` at any place that it is pulled from.
std::vector<std::string> known_digests(
    const engine::ImageDetails& image, const std::vector<registries::PullCandidate>& ways);

/// Whether a run of this data directory pushed an image under that name.
Awaitable<bool> was_pushed_from_here(StepScope scope, oci::Reference reference);

/// A login in the form in which the engine takes it; masked in the run's output from now on.
engine::RegistryAuth to_engine_auth(RunState& run, const registries::RegistryLogin& login);

}  // namespace freshet::pipeline
