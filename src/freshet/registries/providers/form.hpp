// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/model/registry.hpp"
#include "freshet/registries/providers/catalogue.hpp"

#include <string>

namespace freshet::registries {

/// What a user says to connect a registry.
struct NewIntegration {
  std::string name;
  std::string provider = "other";  // name of a `ProviderChoice`
  std::string domain;  // left out where the provider knows it
  std::string location;  // GAR
  std::string region;  // ECR
  std::string username;  // or client id, access key id
  std::string role_arn;
  bool uses_ambient_role = false;
  bool creates_repositories = false;
  model::RepositoryTemplate repository_template;
  std::string repository_prefix;
  std::string fallback;  // name or id of another integration; empty: none
  bool is_default = false;
  bool is_caching = false;
  bool is_primary = false;
  bool is_behind_firewall = false;
  model::RegistryConnection connection;
  model::RegistrySecrets secrets;
};

/// The record that the form means, brought into its stored form, without id and fallback. Its
/// domain is empty when only AWS knows it (`ecr` with neither domain nor role).
/// Throws invalid_input with everything that is wrong with it. The secrets are not looked at.
model::RegistryIntegration to_record(const NewIntegration& form);

/// Throws as `to_record` when a changed record breaks a rule of its provider; normalises it.
void normalise(model::RegistryIntegration& record);

/// Whether the provider needs the main secret at all.
bool needs_password(const model::RegistryIntegration& record);

/// Checks the secrets that are there, and brings a key file into its plain form. Throws
/// invalid_input: missing, malformed, of another certificate.
model::RegistrySecrets checked_secrets(
    const model::RegistryIntegration& record, model::RegistrySecrets secrets);
Secret checked_password(const model::RegistryIntegration& record, const Secret& password);

}  // namespace freshet::registries
