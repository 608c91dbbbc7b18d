// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/ids.hpp"
#include "freshet/base/secret.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace freshet::model {

/// The kinds of registry that an integration can be for.
enum class Provider { dockerhub, acr, gcr, gar, ecr, bintray, other };

/// The names under which API and YAML know providers, e.g. `dockerhub`.
std::string_view to_string(Provider provider);
std::optional<Provider> provider_from_string(std::string_view name);

/// What happens to the image of a build step that names no registry and says nothing of a push.
enum class PushMode {
  automatic,  // it is pushed to the default registry, if there is one
  explicit_only,  // such a step is refused: it has to name a registry, or to say 'disable_push'
  never,  // it is not pushed
};

/// The names under which users know modes: `auto`, `explicit`, `never`.
std::string_view to_string(PushMode mode);
std::optional<PushMode> push_mode_from_string(std::string_view name);

/// What repositories get that Freshet makes (ECR).
struct RepositoryTemplate {
  bool scans_on_push = false;
  bool has_immutable_tags = false;
  std::string lifecycle_policy = {};  // a JSON document; empty: none

  bool operator==(const RepositoryTemplate&) const = default;
};

/// How a registry is reached where that differs from the rest of the world.
struct RegistryConnection {
  bool is_plain_http = false;  // speak http to a host that is not this machine
  bool is_verification_off = false;  // accept any certificate
  std::string ca_certificates;  // PEM, trusted beside the system's; may be empty
  std::string client_certificate;  // PEM; empty: none. Its key is among the secrets
  std::string proxy;  // URL without credentials; empty: as the environment says
  std::string proxy_username;  // empty: none. Its password is among the secrets
  std::string mirror;  // host[:port][/path] that pulls ask before the domain; may be empty
  /// Host of the only token server that may be asked; empty: as the provider's rule says. Learnt by
  /// the first connection test that succeeds.
  std::string token_server;

  bool operator==(const RegistryConnection&) const = default;
};

/// A Docker registry that the user connected, by name. Its secrets are not part of the record: they
/// are kept sealed by the store and fetched at the time of use.
struct RegistryIntegration {
  std::string id;
  std::string name;  // unique, case-sensitive; what `registry:` in a pipeline says
  Provider provider = Provider::other;
  std::string preset;  // the ready-made choice that it was made from, e.g. `quay`; may be empty
  std::string domain;  // host or host:port, lower case; `docker.io` for Docker Hub
  /// Who logs in, as the provider calls it: user name, client id, access key id. Empty where the
  /// provider has one name for everybody.
  std::string username;
  std::string region;  // ECR: of AWS; GAR: its location
  std::string role_arn;  // ECR: role to take before asking for anything; may be empty
  bool uses_ambient_role = false;  // ECR: the machine's own identity instead of stored keys
  bool creates_repositories = false;  // ECR: below the prefix, when a push finds none
  RepositoryTemplate repository_template;  // empty without `creates_repositories`
  std::string repository_prefix;  // without slashes at its ends; may be empty
  std::string fallback_id;  // id of the integration to pull from when this one fails; may be empty
  bool is_default = false;  // at most one integration
  bool is_caching = false;  // at most one integration, never Docker Hub
  bool is_primary = false;  // exactly one per domain: the one that pulls from it
  bool is_behind_firewall = false;  // reached by runners only: no connection test from here
  RegistryConnection connection;
  UnixTime created_at{};

  bool operator==(const RegistryIntegration&) const = default;
};

/// The secrets of one integration; any may be empty.
struct RegistrySecrets {
  RegistrySecrets(Secret main = Secret()) : password(std::move(main)) {}  // NOLINT: it is one

  Secret password;  // or token, client secret, key file, secret access key
  Secret client_key;  // PEM, of the client certificate
  Secret proxy_password;

  bool operator==(const RegistrySecrets&) const = default;
};

/// Which secrets a change replaces; those left out stay.
struct RegistrySecretChanges {
  std::optional<Secret> password;
  std::optional<Secret> client_key;
  std::optional<Secret> proxy_password;
};

}  // namespace freshet::model
