// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/reference.hpp"
#include "freshet/pipeline/run/scope.hpp"
#include "freshet/registries/naming.hpp"

#include <memory>
#include <optional>
#include <string>

namespace freshet::pipeline {

/// A registry that a step pushes to, with whoever logs in.
struct Destination {
  std::string domain;
  std::string prefix;  // of repositories; may be empty
  std::optional<model::RegistryIntegration> integration;  // absent: the step's own login
  std::optional<registries::InlineLogin> login;  // the step's own
  registries::aws::StepOptions aws;

  /// Name of the integration; empty without one.
  std::string integration_name() const { return integration ? integration->name : std::string(); }
  /// `integration 'prod'`, or `the step's own credentials`.
  std::string login_words() const;
};

/// The integration that a `registry` field means: by its name, else by its host. Throws not_found
/// at the field, offering the nearest known name.
Awaitable<model::RegistryIntegration> find_registry(Ctx ctx, StepScope scope, Text registry);

/// Throws invalid_input at the field for properties of Amazon ECR that do not fit.
Destination make_destination(
    const StepScope& scope, model::RegistryIntegration integration, const AwsFields& aws);

/// Where a push step pushes to.
Awaitable<Destination> find_destination(Ctx ctx, StepScope scope, PushStep step);

/// A client for it. Its password is masked in the run's output from now on.
/// Throws what keeps a login from being had.
Awaitable<std::shared_ptr<oci::RegistryClient>> open_destination(
    Ctx ctx, StepScope scope, Destination destination);
/// The same login as the engine wants it.
Awaitable<engine::RegistryAuth> find_engine_auth(Ctx ctx, StepScope scope, Destination destination);

/// The reference that a name gets there, with `at` in the error when it cannot be.
oci::Reference compose(
    const Destination& destination,
    const std::string& name,
    registries::NameSource source,
    const std::string& tag,
    const SourcePosition& at);

}  // namespace freshet::pipeline
