// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/model/registry.hpp"
#include "freshet/oci/distribution/credentials.hpp"
#include "freshet/registries/aws/ambient.hpp"
#include "freshet/registries/aws/ecr.hpp"
#include "freshet/registries/aws/step_options.hpp"

#include <memory>
#include <optional>

namespace freshet::registries {

/// The login that the stored secret is, as the provider wants it presented; nullopt when the secret
/// only serves to fetch one.
std::optional<oci::Credentials> stored_login(
    const model::RegistryIntegration& integration, const model::RegistrySecrets& secrets);

/// What credentials that are fetched need of the world.
struct AwsWorld {
  aws::Access access;
  net::HttpClient* local_http = nullptr;  // without proxy; outlives the sources
  aws::Environment environment = &aws::process_environment;
};

/// Who signs requests to AWS for `integration`: its stored keys or the machine's identity, in the
/// role that the step names, else in its own.
std::shared_ptr<aws::KeySource> make_aws_keys(
    const AwsWorld& world,
    const model::RegistryIntegration& integration,
    const model::RegistrySecrets& secrets,
    const aws::StepOptions& options);

/// The login of `integration` at the moment of use, whatever its provider.
std::shared_ptr<oci::CredentialSource> make_credentials(
    const AwsWorld& world,
    const model::RegistryIntegration& integration,
    const model::RegistrySecrets& secrets,
    const aws::StepOptions& options);

}  // namespace freshet::registries
