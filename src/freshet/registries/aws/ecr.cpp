// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/aws/ecr.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"
#include "freshet/net/url.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <cmath>

namespace freshet::registries::aws {
namespace json = boost::json;
namespace {

/// Longer than any single request may take, so that a login given out serves its use.
constexpr auto k_margin = std::chrono::minutes(10);
/// Assumed when AWS does not say how long a login lives.
constexpr auto k_unknown_lifetime = std::chrono::minutes(30);
constexpr std::string_view k_ecr = "AmazonEC2ContainerRegistry_V20150921.";
constexpr std::string_view k_ecr_public = "SpencerFrontendService.";

[[noreturn]] void throw_malformed() {
  throw Error(ErrorCode::corrupt_data, "the answer of AWS holds no registry login");
}

/// `USER:PASSWORD` in base64.
oci::Credentials decode_login(const json::object& data) {
  const json::value* token = data.if_contains("authorizationToken");
  if (token == nullptr || !token->is_string()) {
    throw_malformed();
  }
  const auto text = from_base64(std::string_view(token->as_string()));
  const std::size_t colon = text ? text->find(':') : std::string::npos;
  if (colon == std::string::npos || colon == 0 || colon + 1 == text->size()) {
    throw_malformed();
  }
  return {text->substr(0, colon), Secret(text->substr(colon + 1))};
}

/// Seconds since the epoch, with a fraction.
std::optional<UnixTime> decode_time(const json::object& data) {
  const json::value* expiry = data.if_contains("expiresAt");
  if (expiry == nullptr || !expiry->is_number()) {
    return std::nullopt;
  }
  const double seconds = expiry->to_number<double>();
  constexpr double k_year_3000 = 32'503'680'000;
  if (!std::isfinite(seconds) || seconds < 0 || seconds > k_year_3000) {
    return std::nullopt;
  }
  return UnixTime(std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000)));
}

RegistryToken decode_token(const json::object& data) {
  RegistryToken token;
  token.login = decode_login(data);
  token.expires_at = decode_time(data);
  const json::value* endpoint = data.if_contains("proxyEndpoint");
  if (endpoint != nullptr && endpoint->is_string()) {
    const auto url = net::parse_url(std::string_view(endpoint->as_string()));
    token.domain = url ? url->authority() : std::string();
  }
  return token;
}

json::object name_repository(const RepositoryPlace& place) {
  json::object body;
  body["repositoryName"] = place.repository;
  if (!place.account.empty()) {
    body["registryId"] = place.account;
  }
  return body;
}

/// A call of ECR in one region.
struct EcrCall {
  std::string_view operation;
  std::string doing;  // for errors
  json::object body;
};

Awaitable<json::object> call_ecr(
    Ctx ctx, Access access, std::shared_ptr<KeySource> keys, std::string region, EcrCall call) {
  const Service service = ecr_service(access.endpoints, region);
  std::string target = fmt::format("{}{}", k_ecr, call.operation);
  auto answer = call_json(
      ctx, std::move(access), service, std::move(keys), std::move(target), std::move(call.body));
  co_return co_await in_context(std::move(call.doing), std::move(answer));
}

}  // namespace

Awaitable<RegistryToken> get_authorization_token(
    Ctx ctx, Access access, std::string region, std::shared_ptr<KeySource> keys) {
  EcrCall call{"GetAuthorizationToken", "getting a login from Amazon ECR", {}};
  const json::object answer = co_await call_ecr(
      ctx, std::move(access), std::move(keys), std::move(region), std::move(call));
  const json::value* data = answer.if_contains("authorizationData");
  const bool is_list = data != nullptr && data->is_array() && !data->as_array().empty() &&
                       data->as_array().front().is_object();
  if (!is_list) {
    throw_malformed();
  }
  co_return decode_token(data->as_array().front().as_object());
}

Awaitable<RegistryToken> get_public_authorization_token(
    Ctx ctx, Access access, std::shared_ptr<KeySource> keys) {
  const Service service = ecr_public_service(access.endpoints);
  json::object nothing;
  const json::object answer = co_await in_context(
      "getting a login from Amazon ECR Public",
      call_json(
          ctx,
          std::move(access),
          service,
          std::move(keys),
          fmt::format("{}GetAuthorizationToken", k_ecr_public),
          std::move(nothing)));
  const json::value* data = answer.if_contains("authorizationData");
  if (data == nullptr || !data->is_object()) {
    throw_malformed();
  }
  co_return decode_token(data->as_object());
}

Awaitable<bool> create_repository(
    Ctx ctx,
    Access access,
    std::shared_ptr<KeySource> keys,
    RepositoryPlace place,
    model::RepositoryTemplate wanted) {
  EcrCall call{
      "CreateRepository",
      fmt::format("creating repository '{}'", place.repository),
      name_repository(place)};
  if (wanted.scans_on_push) {
    call.body["imageScanningConfiguration"] = json::object{{"scanOnPush", true}};
  }
  if (wanted.has_immutable_tags) {
    call.body["imageTagMutability"] = "IMMUTABLE";
  }
  try {
    co_await call_ecr(
        ctx, std::move(access), std::move(keys), std::move(place.region), std::move(call));
  } catch (const Refusal& refusal) {
    if (refusal.kind() != "RepositoryAlreadyExistsException") {
      throw;
    }
    co_return false;
  }
  co_return true;
}

Awaitable<void> put_lifecycle_policy(
    Ctx ctx,
    Access access,
    std::shared_ptr<KeySource> keys,
    RepositoryPlace place,
    std::string policy) {
  EcrCall call{
      "PutLifecyclePolicy",
      fmt::format("giving repository '{}' its lifecycle policy", place.repository),
      name_repository(place)};
  call.body["lifecyclePolicyText"] = policy;
  co_await call_ecr(
      ctx, std::move(access), std::move(keys), std::move(place.region), std::move(call));
}

EcrCredentials::EcrCredentials(Access access, std::string region, std::shared_ptr<KeySource> keys)
    : access_(std::move(access)),
      region_(std::move(region)),
      keys_(std::move(keys)),
      renewed_(access_.clock, k_margin) {}

Awaitable<Renewed<RegistryToken>::Dated> EcrCredentials::fetch(Ctx ctx) {
  Renewed<RegistryToken>::Dated dated;
  if (region_.empty()) {
    dated.value = co_await get_public_authorization_token(ctx, access_, keys_);
  } else {
    dated.value = co_await get_authorization_token(ctx, access_, region_, keys_);
  }
  dated.expires_at = dated.value.expires_at.value_or(access_.clock() + k_unknown_lifetime);
  co_return dated;
}

Awaitable<RegistryToken> EcrCredentials::token(Ctx ctx) {
  Renewed<RegistryToken>::Fetch fetch = [this](Ctx limited) { return this->fetch(limited); };
  co_return co_await renewed_.get(ctx, std::move(fetch));
}

Awaitable<std::optional<oci::Credentials>> EcrCredentials::get(Ctx ctx) {
  RegistryToken current = co_await token(ctx);
  co_return std::move(current.login);
}

bool EcrCredentials::discard() {
  return renewed_.discard();
}

}  // namespace freshet::registries::aws
