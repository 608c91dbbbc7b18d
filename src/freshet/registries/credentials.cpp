// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/credentials.hpp"

#include "freshet/registries/aws/sts.hpp"
#include "freshet/registries/providers/catalogue.hpp"

namespace freshet::registries {
namespace {

/// The user that AWS's own tools log in as; its password is a token that somebody fetched.
constexpr std::string_view k_aws_user = "AWS";

/// The public registry has no region; its API and STS are asked in this one.
std::string region_of(
    const model::RegistryIntegration& integration, const aws::StepOptions& options) {
  if (!options.region.empty()) {
    return options.region;
  }
  return integration.region.empty() ? "us-east-1" : integration.region;
}

}  // namespace

std::optional<oci::Credentials> stored_login(
    const model::RegistryIntegration& integration, const model::RegistrySecrets& secrets) {
  const ProviderChoice& choice = choice_of(integration);
  if (choice.secret_rule == SecretRule::aws_key) {
    // Only ECR Public may be connected with a password, which AWS gives to the user of this name.
    const bool is_token = integration.provider != model::Provider::ecr &&
                          integration.username == k_aws_user && !integration.uses_ambient_role;
    return is_token ? std::optional(oci::Credentials{integration.username, secrets.password})
                    : std::nullopt;
  }
  switch (choice.user_rule) {
    case UserRule::fixed:
      return oci::Credentials{std::string(choice.user), secrets.password};
    case UserRule::is_secret:
      return oci::Credentials{std::string(secrets.password.reveal()), secrets.password};
    case UserRule::given:
      break;
  }
  return oci::Credentials{integration.username, secrets.password};
}

std::shared_ptr<aws::KeySource> make_aws_keys(
    const AwsWorld& world,
    const model::RegistryIntegration& integration,
    const model::RegistrySecrets& secrets,
    const aws::StepOptions& options) {
  const std::string region = region_of(integration, options);
  std::shared_ptr<aws::KeySource> keys;
  if (integration.uses_ambient_role) {
    keys = std::make_shared<aws::AmbientKeys>(
        world.access, *world.local_http, region, world.environment);
  } else {
    aws::Keys stored;
    stored.access_key_id = integration.username;
    stored.secret_access_key = secrets.password;
    keys = std::make_shared<aws::FixedKeys>(std::move(stored));
  }
  aws::Role role;
  role.arn = options.role_arn.empty() ? integration.role_arn : options.role_arn;
  if (role.arn.empty()) {
    return keys;
  }
  role.session_name = options.session_name;
  role.duration = options.duration;
  return std::make_shared<aws::AssumedRole>(world.access, region, std::move(keys), std::move(role));
}

std::shared_ptr<oci::CredentialSource> make_credentials(
    const AwsWorld& world,
    const model::RegistryIntegration& integration,
    const model::RegistrySecrets& secrets,
    const aws::StepOptions& options) {
  if (auto login = stored_login(integration, secrets)) {
    return std::make_shared<oci::FixedCredentials>(std::move(*login));
  }
  const bool is_public = integration.provider != model::Provider::ecr;
  return std::make_shared<aws::EcrCredentials>(
      world.access,
      is_public ? std::string() : region_of(integration, options),
      make_aws_keys(world, integration, secrets, options));
}

}  // namespace freshet::registries
