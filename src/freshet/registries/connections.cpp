// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/connections.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"
#include "freshet/oci/reference.hpp"
#include "freshet/registries/aws/names.hpp"
#include "freshet/registries/own_host_http.hpp"
#include "freshet/registries/providers/catalogue.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::registries {
namespace {

using model::RegistryIntegration;
using model::RegistrySecrets;

constexpr std::size_t k_max_shown = 255;

/// What holds for every host that is asked on behalf of an integration.
net::ConnectionSettings common_settings(
    const RegistryIntegration& record, const RegistrySecrets& secrets) {
  net::ConnectionSettings settings;
  settings.ca_certificates = record.connection.ca_certificates;
  settings.proxy = record.connection.proxy;
  settings.proxy_username = record.connection.proxy_username;
  settings.proxy_password = secrets.proxy_password;
  return settings;
}

/// What holds for the registry itself.
net::ConnectionSettings own_settings(
    const RegistryIntegration& record, const RegistrySecrets& secrets) {
  net::ConnectionSettings settings = common_settings(record, secrets);
  settings.client_certificate = record.connection.client_certificate;
  settings.client_key = secrets.client_key;
  settings.is_verification_off = record.connection.is_verification_off;
  return settings;
}

std::string api_host(const std::string& domain) {
  return domain == "docker.io" ? "registry-1.docker.io" : domain;
}

/// The mirror of an integration as if it were one itself, without anybody's login.
RegistryIntegration mirror_record(const PullCandidate& candidate) {
  RegistryIntegration record = *candidate.integration;
  record.domain = candidate.reference.domain;
  record.connection.client_certificate.clear();
  // What the user excused is that one host.
  record.connection.is_verification_off = false;
  record.connection.is_plain_http = false;
  return record;
}

}  // namespace

struct Connections::Line {
  Line(
      RegistryIntegration integration,
      RegistrySecrets stored,
      std::shared_ptr<oci::CredentialSource> source,
      net::HttpClient& own,
      net::HttpClient& others,
      const std::string& domain,
      const oci::RegistryOptions& options)
      : record(std::move(integration)),
        secrets(std::move(stored)),
        credentials(std::move(source)),
        http(api_host(domain), own, others),
        client(http, domain, credentials, options) {}

  RegistryIntegration record;
  RegistrySecrets secrets;
  std::shared_ptr<oci::CredentialSource> credentials;
  OwnHostHttp http;
  oci::RegistryClient client;
};

struct Connections::InlineLine {
  InlineLogin login;
  std::string domain;
  std::shared_ptr<oci::CredentialSource> credentials;
  std::shared_ptr<oci::RegistryClient> client;
};

Connections::Connections(Integrations& integrations, asio::thread_pool& pool, ConnectionParts parts)
    : integrations_(integrations), pool_(pool), parts_(std::move(parts)) {}

Connections::~Connections() = default;

AwsWorld Connections::aws_world(const net::ConnectionSettings& settings) {
  net::ConnectionSettings direct;
  direct.is_direct = true;
  AwsWorld world;
  world.access.http = &parts_.http_for(settings);
  world.access.endpoints = parts_.aws_endpoints;
  world.access.clock = parts_.clock;
  world.local_http = &parts_.http_for(direct);
  world.environment = parts_.environment;
  return world;
}

std::unique_ptr<Connections::Line> Connections::make_line(
    RegistryIntegration record, RegistrySecrets secrets, const aws::StepOptions& options) {
  const net::ConnectionSettings common = common_settings(record, secrets);
  const std::string domain = aws::domain_for(record, options);
  net::HttpClient& own = parts_.http_for(own_settings(record, secrets));
  auto source = make_credentials(aws_world(common), record, secrets, options);
  oci::RegistryOptions registry_options = parts_.registry_options;
  registry_options.is_plain_http_allowed = record.connection.is_plain_http;
  registry_options.token_server = record.connection.token_server;
  return std::make_unique<Line>(
      std::move(record),
      std::move(secrets),
      std::move(source),
      own,
      parts_.http_for(common),
      domain,
      registry_options);
}

Awaitable<std::shared_ptr<Connections::Line>> Connections::line(
    Ctx, RegistryIntegration integration, aws::StepOptions options) {
  const auto load = [this, id = integration.id] {
    RegistryIntegration wanted;
    wanted.id = id;
    return integrations_.secrets(wanted);
  };
  RegistrySecrets secrets = co_await offload(pool_, load);
  std::shared_ptr<Line>& kept = lines_[Key(integration.id, options)];
  if (!kept || kept->record != integration || kept->secrets != secrets) {
    kept = make_line(std::move(integration), std::move(secrets), options);
  }
  co_return kept;
}

Awaitable<std::shared_ptr<oci::RegistryClient>> Connections::client(
    Ctx ctx, RegistryIntegration integration, aws::StepOptions options) {
  std::shared_ptr<Line> found = co_await line(ctx, std::move(integration), std::move(options));
  oci::RegistryClient* const client = &found->client;
  co_return std::shared_ptr<oci::RegistryClient>(std::move(found), client);
}

Awaitable<std::shared_ptr<oci::RegistryClient>> Connections::client(
    Ctx ctx, PullCandidate candidate, aws::StepOptions options) {
  if (!candidate.integration) {
    co_return anonymous(candidate.reference.domain);
  }
  if (!candidate.is_mirror) {
    co_return co_await client(ctx, std::move(*candidate.integration), std::move(options));
  }
  const RegistryIntegration record = mirror_record(candidate);
  const RegistrySecrets nothing;
  const net::ConnectionSettings settings = own_settings(record, nothing);
  oci::RegistryOptions registry_options = parts_.registry_options;
  registry_options.is_plain_http_allowed = record.connection.is_plain_http;
  auto nobody = std::make_shared<oci::FixedCredentials>(std::nullopt);
  auto made = std::make_shared<Line>(
      record,
      nothing,
      std::move(nobody),
      parts_.http_for(settings),
      parts_.http_for(common_settings(record, nothing)),
      record.domain,
      registry_options);
  oci::RegistryClient* const client = &made->client;
  co_return std::shared_ptr<oci::RegistryClient>(std::move(made), client);
}

std::shared_ptr<oci::RegistryClient> Connections::anonymous(const std::string& domain) {
  std::shared_ptr<oci::RegistryClient>& kept = anonymous_[oci::canonical_domain(domain)];
  if (!kept) {
    auto nobody = std::make_shared<oci::FixedCredentials>(std::nullopt);
    kept = std::make_shared<oci::RegistryClient>(
        plain_http(), domain, std::move(nobody), parts_.registry_options);
  }
  return kept;
}

Awaitable<std::shared_ptr<Connections::InlineLine>> Connections::inline_line(
    Ctx ctx, InlineLogin login) {
  const auto kept = std::ranges::find_if(
      inline_lines_, [&](const std::shared_ptr<InlineLine>& line) { return line->login == login; });
  if (kept != inline_lines_.end()) {
    co_return *kept;
  }
  const InlineTarget target = check_inline_login(login);
  auto line = std::make_shared<InlineLine>();
  line->domain = target.domain;
  if (target.is_ecr) {
    RegistryIntegration record;
    record.provider = model::Provider::ecr;
    record.username = login.access_key_id;
    record.region = login.region;
    const AwsWorld world = aws_world(net::ConnectionSettings());
    auto ecr = std::make_shared<aws::EcrCredentials>(
        world.access,
        login.region,
        make_aws_keys(world, record, RegistrySecrets(login.secret_access_key), aws::StepOptions()));
    line->domain =
        (co_await in_context("getting the credentials of the step", ecr->token(ctx))).domain;
    line->credentials = std::move(ecr);
  } else {
    oci::Credentials given{login.username, login.password};
    line->credentials = std::make_shared<oci::FixedCredentials>(std::move(given));
  }
  oci::RegistryOptions options = parts_.registry_options;
  options.is_plain_http_allowed = target.is_plain_http;
  line->client =
      std::make_shared<oci::RegistryClient>(plain_http(), line->domain, line->credentials, options);
  line->login = std::move(login);
  inline_lines_.push_back(line);
  co_return line;
}

Awaitable<std::shared_ptr<oci::RegistryClient>> Connections::client(Ctx ctx, InlineLogin login) {
  const std::shared_ptr<InlineLine> found = co_await inline_line(ctx, std::move(login));
  co_return found->client;
}

Awaitable<oci::Credentials> Connections::get_login(Ctx ctx, std::shared_ptr<Line> line) {
  auto credentials = co_await in_context(
      fmt::format("getting the login of registry '{}'", line->record.name),
      line->credentials->get(ctx));
  FRESHET_ASSERT(credentials.has_value());
  co_return std::move(*credentials);
}

Awaitable<RegistryLogin> Connections::login(
    Ctx ctx, RegistryIntegration integration, aws::StepOptions options) {
  const std::string domain = aws::domain_for(integration, options);
  std::shared_ptr<Line> found = co_await line(ctx, std::move(integration), std::move(options));
  oci::Credentials credentials = co_await get_login(ctx, std::move(found));
  co_return RegistryLogin{
      login_server(domain), std::move(credentials.username), std::move(credentials.password)};
}

Awaitable<std::optional<RegistryLogin>> Connections::login(
    Ctx ctx, PullCandidate candidate, aws::StepOptions options) {
  if (!candidate.integration || candidate.is_mirror) {
    co_return std::nullopt;
  }
  co_return co_await login(ctx, std::move(*candidate.integration), std::move(options));
}

Awaitable<RegistryLogin> Connections::login(Ctx ctx, InlineLogin given) {
  const std::shared_ptr<InlineLine> found = co_await inline_line(ctx, std::move(given));
  auto login =
      co_await in_context("getting the credentials of the step", found->credentials->get(ctx));
  FRESHET_ASSERT(login.has_value());
  co_return RegistryLogin{
      login_server(found->domain), std::move(login->username), std::move(login->password)};
}

Awaitable<std::string> Connections::find_domain(
    Ctx ctx, RegistryIntegration record, RegistrySecrets secrets) {
  const AwsWorld world = aws_world(common_settings(record, secrets));
  auto keys = make_aws_keys(world, record, secrets, aws::StepOptions());
  const aws::RegistryToken token = co_await in_context(
      fmt::format("finding the domain of registry '{}'", record.name),
      aws::get_authorization_token(ctx, world.access, record.region, std::move(keys)));
  if (!aws::parse_ecr_domain(token.domain)) {
    throw Error(
        ErrorCode::corrupt_data,
        fmt::format("AWS named '{}' as registry", printable(token.domain, k_max_shown)));
  }
  co_return token.domain;
}

Awaitable<MadeRepository> Connections::make_repository(
    Ctx ctx, RegistryIntegration integration, std::string repository, aws::StepOptions options) {
  if (!integration.creates_repositories || integration.provider != model::Provider::ecr) {
    co_return MadeRepository();
  }
  const std::string& prefix = integration.repository_prefix;
  const bool is_allowed = !prefix.empty() && repository.starts_with(prefix + "/") &&
                          oci::is_valid_repository_path(repository);
  if (!is_allowed) {
    co_return MadeRepository();  // it may be there all the same: the push will tell
  }
  const std::string domain = aws::domain_for(integration, options);
  if (made_repositories_.contains({domain, repository})) {
    co_return MadeRepository();
  }
  std::shared_ptr<Line> found = co_await line(ctx, integration, options);
  const auto named = aws::parse_ecr_domain(domain);
  const AwsWorld world = aws_world(common_settings(found->record, found->secrets));
  aws::RepositoryPlace place;
  place.region = named ? named->region : integration.region;
  place.account = named ? named->account : std::string();
  place.repository = repository;
  auto ecr = std::dynamic_pointer_cast<aws::EcrCredentials>(found->credentials);
  FRESHET_ASSERT(ecr != nullptr);
  const model::RepositoryTemplate& wanted = integration.repository_template;
  MadeRepository made;
  made.is_new = co_await aws::create_repository(ctx, world.access, ecr->keys(), place, wanted);
  made_repositories_.insert({domain, repository});
  if (made.is_new && !wanted.lifecycle_policy.empty()) {
    try {
      co_await aws::put_lifecycle_policy(
          ctx, world.access, ecr->keys(), place, wanted.lifecycle_policy);
    } catch (const Error& error) {
      // No reason to fail the push.
      made.policy_problem = error.remote_text().empty() ? error.message() : error.remote_text();
    }
  }
  co_return made;
}

Awaitable<ConnectionReport> Connections::test(
    Ctx ctx, RegistryIntegration integration, std::string repository) {
  std::shared_ptr<Line> found = co_await line(ctx, integration, aws::StepOptions());
  ConnectionReport report = co_await test_connection(
      ctx, found->client, found->record, found->credentials, std::move(repository));
  const std::string token_server = found->client.token_server();
  const bool is_to_bind = integration.provider == model::Provider::other &&
                          integration.connection.token_server.empty() && !token_server.empty() &&
                          report.at(CheckName::credentials).result == CheckResult::passed;
  if (is_to_bind) {
    const auto bind = [this, id = integration.id, token_server] {
      integrations_.bind_token_server(id, token_server);
    };
    co_await offload(pool_, bind);
  }
  co_return report;
}

}  // namespace freshet::registries
