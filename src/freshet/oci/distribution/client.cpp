// SPDX-License-Identifier: Apache-2.0
// The parts of RegistryClient that make contact.
#include "freshet/oci/distribution/client.hpp"

#include <fmt/format.h>

namespace freshet::oci {
namespace {

RegistryOptions without_patience() {
  RegistryOptions options;
  options.retry.max_attempts = 1;
  return options;
}

}  // namespace

RegistryClient::RegistryClient(
    net::HttpClient& http, std::string domain, std::optional<Credentials> credentials)
    : RegistryClient(
          http,
          std::move(domain),
          std::make_shared<FixedCredentials>(std::move(credentials)),
          without_patience()) {}

RegistryClient::RegistryClient(
    net::HttpClient& http,
    std::string domain,
    std::shared_ptr<CredentialSource> credentials,
    RegistryOptions options)
    : connection_(std::make_shared<RegistryConnection>(
          http, std::move(domain), std::move(credentials), std::move(options))) {}

const std::string& RegistryClient::token_server() const {
  return connection_->authorizer().token_server();
}

Awaitable<PingAnswer> RegistryClient::ping(Ctx ctx) {
  const net::Url registry = co_await connection_->origin(ctx);
  const net::HttpResponse response = co_await connection_->probe(ctx, registry.scheme);
  if (response.status == 429 || response.status >= 500) {
    throw registry_error(domain(), Request{"the first contact", "an API"}, response);
  }
  PingAnswer answer = judge_ping(response);
  answer.is_encrypted = registry.scheme == "https";
  co_return answer;
}

Awaitable<void> RegistryClient::check_credentials(Ctx ctx) {
  net::HttpRequest request;
  request.url = "/v2/";
  const net::HttpResponse response = co_await connection_->send(ctx, request, "");
  if (response.status == 200) {
    const PingAnswer answer = judge_ping(response);
    if (!answer.is_registry) {
      throw Error(
          ErrorCode::unsupported,
          fmt::format("'{}' is not a registry: it answered {}", domain(), answer.evidence));
    }
    co_return;
  }
  const bool is_refusal = response.status == 401 || response.status == 403;
  if (!is_refusal || is_rate_limit(response)) {
    throw registry_error(domain(), Request{"the login", "an API"}, response);
  }
  Authorizer& authorizer = connection_->authorizer();
  co_await authorizer.identify(ctx);
  std::string message =
      authorizer.has_credentials()
          ? fmt::format("'{}' refused the credentials of {}", domain(), authorizer.who())
          : fmt::format("'{}' gives no access without credentials", domain());
  throw Error(ErrorCode::upstream_denied, std::move(message))
      .with_hint("check user name and password; many registries want an access token as password")
      .with_remote_text(registry_words(response), response.status);
}

}  // namespace freshet::oci
