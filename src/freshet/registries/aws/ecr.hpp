// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/model/registry.hpp"
#include "freshet/oci/distribution/credentials.hpp"
#include "freshet/registries/aws/api.hpp"
#include "freshet/registries/aws/renewed.hpp"

namespace freshet::registries::aws {

/// A login that AWS made up, for about half a day.
struct RegistryToken {
  oci::Credentials login;
  std::optional<UnixTime> expires_at;
  std::string domain;  // of the account's own registry; empty for the public one
};

/// Asks ECR for a login to every registry of `region` that the keys may use. Throws as `call_json`;
/// corrupt_data. Source: ECR API, "GetAuthorizationToken".
Awaitable<RegistryToken> get_authorization_token(
    Ctx ctx, Access access, std::string region, std::shared_ptr<KeySource> keys);
/// The same for `public.ecr.aws`. Source: ECR Public API, "GetAuthorizationToken".
Awaitable<RegistryToken> get_public_authorization_token(
    Ctx ctx, Access access, std::shared_ptr<KeySource> keys);

/// A repository in an account's registry.
struct RepositoryPlace {
  std::string region;
  std::string account;  // empty: the keys' own
  std::string repository;
};

/// Makes a repository with the settings of `wanted`, all but its lifecycle policy. False when it is
/// there already; then it stays as it is. Throws as `call_json`.
/// Source: ECR API, "CreateRepository".
Awaitable<bool> create_repository(
    Ctx ctx,
    Access access,
    std::shared_ptr<KeySource> keys,
    RepositoryPlace place,
    model::RepositoryTemplate wanted);
/// Gives a repository its lifecycle policy, a JSON document. Throws as `call_json`.
/// Source: ECR API, "PutLifecyclePolicy".
Awaitable<void> put_lifecycle_policy(
    Ctx ctx,
    Access access,
    std::shared_ptr<KeySource> keys,
    RepositoryPlace place,
    std::string policy);

/// The login of an ECR registry, fetched at the time of use and again before it expires.
class EcrCredentials final : public oci::CredentialSource {
 public:
  /// An empty region means the public registry.
  EcrCredentials(Access access, std::string region, std::shared_ptr<KeySource> keys);

  Awaitable<std::optional<oci::Credentials>> get(Ctx ctx) override;
  bool discard() override;
  /// The whole of what AWS said.
  Awaitable<RegistryToken> token(Ctx ctx);
  /// What signs the requests.
  std::shared_ptr<KeySource> keys() const { return keys_; }

 private:
  Awaitable<Renewed<RegistryToken>::Dated> fetch(Ctx ctx);

  Access access_;
  std::string region_;
  std::shared_ptr<KeySource> keys_;
  Renewed<RegistryToken> renewed_;
};

}  // namespace freshet::registries::aws
