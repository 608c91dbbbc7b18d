// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"
#include "freshet/net/connection_settings.hpp"
#include "freshet/net/http.hpp"
#include "freshet/oci/distribution/client.hpp"
#include "freshet/registries/aws/ambient.hpp"
#include "freshet/registries/aws/step_options.hpp"
#include "freshet/registries/connection_test.hpp"
#include "freshet/registries/credentials.hpp"
#include "freshet/registries/inline_login.hpp"
#include "freshet/registries/integrations.hpp"
#include "freshet/registries/pull_plan.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace freshet::registries {

/// What `Connections` are made of; tests put their own in.
struct ConnectionParts {
  /// The client for settings, the same for equal ones: `net::HttpClients`.
  std::function<net::HttpClient&(const net::ConnectionSettings&)> http_for;
  aws::Endpoints aws_endpoints;
  aws::Environment environment = &aws::process_environment;
  aws::WallClock clock = &now;
  /// The start of every client's options; plain http is added where an integration asks for it.
  oci::RegistryOptions registry_options;
};

/// What `Connections::make_repository` did.
struct MadeRepository {
  bool is_new = false;
  std::string policy_problem;  // why it has no lifecycle policy, in one line; empty: none
};

/// Ready clients and logins for the connected registries, and for those that are not.
///
/// Everything of one integration that may be reused is kept and shared: connections, tokens, logins
/// that were fetched. What was changed in the store since is noticed at the next call. Integrations
/// with other settings share nothing. Clients must not outlive it. One executor; the store is read
/// on `pool`.
class Connections {
 public:
  /// All but `parts` outlives it.
  Connections(Integrations& integrations, asio::thread_pool& pool, ConnectionParts parts);
  ~Connections();

  /// A client with the login of `integration`, in the role and region of `options`: its domain is
  /// `aws::domain_for` these. Throws what the store throws, and invalid_input for TLS material that
  /// cannot be used. A login is fetched when the client first needs it, not here.
  Awaitable<std::shared_ptr<oci::RegistryClient>> client(
      Ctx ctx,
      model::RegistryIntegration integration,
      aws::StepOptions options = aws::StepOptions());
  /// The client for one way to pull.
  Awaitable<std::shared_ptr<oci::RegistryClient>> client(
      Ctx ctx, PullCandidate candidate, aws::StepOptions options = aws::StepOptions());
  std::shared_ptr<oci::RegistryClient> anonymous(const std::string& domain);
  /// A client with the login that a step carries. Throws as `check_inline_login`, and for ecr what
  /// AWS says.
  Awaitable<std::shared_ptr<oci::RegistryClient>> client(Ctx ctx, InlineLogin login);

  /// The login as a container engine wants it, valid for some minutes at least; nullopt for
  /// anonymous ways. Throws what keeps it from being had.
  Awaitable<std::optional<RegistryLogin>> login(
      Ctx ctx, PullCandidate candidate, aws::StepOptions options = aws::StepOptions());
  Awaitable<RegistryLogin> login(
      Ctx ctx,
      model::RegistryIntegration integration,
      aws::StepOptions options = aws::StepOptions());
  Awaitable<RegistryLogin> login(Ctx ctx, InlineLogin login);

  /// The domain of an ECR registry whose account is not known: that of the keys' own.
  Awaitable<std::string> find_domain(
      Ctx ctx, model::RegistryIntegration record, model::RegistrySecrets secrets);
  /// Makes the repository that a push is about to go to, where the integration allows that and its
  /// name is below the integration's prefix; does nothing otherwise. That it is there already is
  /// success, and it stays as it is then. A new one gets what the integration's template says.
  Awaitable<MadeRepository> make_repository(
      Ctx ctx,
      model::RegistryIntegration integration,
      std::string repository,
      aws::StepOptions options = aws::StepOptions());

  /// Tests a connected registry as `test_connection` does. The first test that succeeds binds the
  /// credentials of an `other` registry to the token server that it named.
  Awaitable<ConnectionReport> test(
      Ctx ctx, model::RegistryIntegration integration, std::string repository = std::string());

  /// The client for everything that is nobody's.
  net::HttpClient& plain_http() { return parts_.http_for(net::ConnectionSettings()); }

 private:
  struct Line;  // all that belongs to one integration with one set of options
  struct InlineLine;  // all that belongs to one login of a step

  AwsWorld aws_world(const net::ConnectionSettings& settings);
  std::unique_ptr<Line> make_line(
      model::RegistryIntegration record,
      model::RegistrySecrets secrets,
      const aws::StepOptions& options);
  Awaitable<std::shared_ptr<Line>> line(
      Ctx ctx, model::RegistryIntegration integration, aws::StepOptions options);
  Awaitable<oci::Credentials> get_login(Ctx ctx, std::shared_ptr<Line> line);
  Awaitable<std::shared_ptr<InlineLine>> inline_line(Ctx ctx, InlineLogin login);

  using Key = std::pair<std::string, aws::StepOptions>;  // id of the integration

  Integrations& integrations_;
  asio::thread_pool& pool_;
  ConnectionParts parts_;
  std::map<Key, std::shared_ptr<Line>> lines_;
  std::vector<std::shared_ptr<InlineLine>> inline_lines_;
  std::map<std::string, std::shared_ptr<oci::RegistryClient>> anonymous_;  // by domain
  std::set<std::tuple<std::string, std::string>> made_repositories_;  // domain, repository
};

}  // namespace freshet::registries
