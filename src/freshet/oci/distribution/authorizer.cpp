// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/distribution/authorizer.hpp"

#include "freshet/base/text.hpp"
#include "freshet/net/address.hpp"
#include "freshet/oci/distribution/realm.hpp"
#include "freshet/oci/distribution/registry_error.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace freshet::oci {
namespace json = boost::json;
namespace {

using namespace std::chrono_literals;

constexpr auto k_default_lifetime = 60s;  // what the specification says of a missing expires_in
constexpr std::int64_t k_max_lifetime_s = 3600;  // a longer promise is not worth relying on
constexpr std::size_t k_max_token_answer = 256UL * 1024;

/// Bearer first: a registry that offers both prefers tokens. nullopt when there is neither.
std::optional<Challenge> choose(const std::vector<std::string>& headers) {
  std::optional<Challenge> basic;
  for (const std::string& header : headers) {
    for (Challenge& challenge : parse_challenges(header)) {
      if (challenge.scheme == "bearer" && !challenge.parameter("realm").empty()) {
        return challenge;
      }
      if (challenge.scheme == "basic" && !basic) {
        basic = std::move(challenge);
      }
    }
  }
  return basic;
}

bool is_safe_token(std::string_view token) {
  return !token.empty() && std::ranges::all_of(token, [](char c) { return c > ' ' && c < '\x7F'; });
}

std::string text_member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

Ctx::Clock::duration lifetime_of(const json::object& answer) {
  const json::value* seconds = answer.if_contains("expires_in");
  if (seconds == nullptr || !seconds->is_int64()) {
    return k_default_lifetime;
  }
  return std::chrono::seconds(std::clamp<std::int64_t>(seconds->get_int64(), 1, k_max_lifetime_s));
}

}  // namespace

Authorizer::Authorizer(
    net::HttpClient& http, std::string domain, std::optional<Credentials> credentials, Now now)
    : http_(http),
      domain_(std::move(domain)),
      credentials_(std::move(credentials)),
      now_(std::move(now)) {
  if (credentials_) {
    masker_.add(credentials_->password);
    masker_.add(
        Secret(fmt::format("{}:{}", credentials_->username, credentials_->password.reveal())));
  }
}

std::string Authorizer::who() const {
  return credentials_ ? fmt::format("user '{}'", credentials_->username) : "anybody";
}

Awaitable<net::HttpResponse> Authorizer::exchange(Ctx ctx, net::HttpRequest request) {
  net::HttpResponse response = co_await http_.send(ctx, std::move(request));
  if (response.status >= 400) {
    response.body = masker_.mask(response.body);
  }
  co_return response;
}

Awaitable<net::HttpResponse> Authorizer::send(
    Ctx ctx, net::HttpRequest request, std::string scope) {
  const bool had_token = find_token(scope) != nullptr;
  const bool was_authenticated = co_await authenticate(ctx, request, scope);
  net::HttpResponse response = co_await exchange(ctx, request);
  const bool knew_basic = challenge_ && challenge_->scheme == "basic";
  const auto peer = net::address_of_host(response.peer_address);
  is_registry_internal_ = peer && net::is_internal_address(*peer);
  if (response.status != 401 || !learn(response)) {
    co_return response;
  }
  const bool is_basic = challenge_->scheme == "basic";
  if (was_authenticated && (is_basic ? knew_basic : !had_token && !knew_basic)) {
    co_return response;  // fresh and refused all the same
  }
  tokens_.erase(scope);
  if (co_await authenticate(ctx, request, scope)) {
    response = co_await exchange(ctx, request);
  }
  co_return response;
}

bool Authorizer::learn(const net::HttpResponse& response) {
  auto challenge = choose(response.headers.find_all("WWW-Authenticate"));
  if (!challenge) {
    return false;
  }
  challenge_ = std::move(challenge);
  return true;
}

const Authorizer::Token* Authorizer::find_token(const std::string& scope) const {
  const auto found = tokens_.find(scope);
  return found != tokens_.end() && now_() < found->second.expires_at ? &found->second : nullptr;
}

std::string Authorizer::basic_header() const {
  const std::string pair =
      credentials_->username + ":" + std::string(credentials_->password.reveal());
  return "Basic " + to_base64(pair);
}

/// Puts the Authorization header on `request` as far as the registry's demands are known; false
/// when there is nothing to put on.
Awaitable<bool> Authorizer::authenticate(Ctx ctx, net::HttpRequest& request, std::string scope) {
  if (!challenge_ || (challenge_->scheme == "basic" && !credentials_)) {
    co_return false;
  }
  if (challenge_->scheme == "basic") {
    request.headers.set("Authorization", basic_header());
    co_return true;
  }
  Secret token;
  if (const Token* kept = find_token(scope)) {
    token = kept->value;
  } else {
    const auto registry = net::parse_url(request.url);
    FRESHET_ASSERT(registry.has_value());
    const Token fresh = co_await fetch_token(ctx, *registry, scope);
    tokens_.insert_or_assign(scope, fresh);
    token = fresh.value;
  }
  request.headers.set("Authorization", "Bearer " + std::string(token.reveal()));
  co_return true;
}

net::HttpRequest Authorizer::token_request(
    const net::Url& registry, const std::string& scope) const {
  const net::Url realm = require_trusted_realm(registry, challenge_->parameter("realm"));
  std::string query = realm.query;
  const auto append = [&query](std::string_view name, std::string_view value) {
    if (!value.empty()) {
      query += fmt::format("{}{}={}", query.empty() ? "" : "&", name, net::url_encode(value));
    }
  };
  append("service", challenge_->parameter("service"));
  for (const std::string& one : split(scope, ' ')) {
    append("scope", one);
  }
  net::HttpRequest request;
  request.url = realm.origin() + realm.path + (query.empty() ? "" : "?" + query);
  request.max_body_bytes = k_max_token_answer;
  // A public registry has no business with our inner network; one that is inside may have.
  request.refuse_internal_peer = realm.host != registry.host && !is_registry_internal_;
  request.headers.add("Accept", "application/json");
  if (credentials_) {
    request.headers.add("Authorization", basic_header());
  }
  return request;
}

Awaitable<Authorizer::Token> Authorizer::fetch_token(
    Ctx ctx, net::Url registry, std::string scope) {
  const auto asked_at = now_();
  const net::HttpRequest request = token_request(registry, scope);
  const net::HttpResponse response = co_await exchange(ctx, request);
  if (response.status == 401 || response.status == 403) {
    throw_refused(response, scope);
  }
  if (response.status != 200) {
    const Request about{"giving out a token", "its token server"};
    throw registry_error(net::parse_url(request.url)->authority(), about, response);
  }
  co_return read_token(response, asked_at);
}

void Authorizer::throw_refused(const net::HttpResponse& response, const std::string& scope) const {
  std::string message = fmt::format("'{}' refused the credentials of {}", domain_, who());
  std::string hint =
      "check user name and password; many registries want an access token as password";
  if (!credentials_) {
    message = fmt::format("'{}' gives no access without credentials", domain_);
    hint = {};
  } else if (response.status == 403 && !scope.empty()) {
    message = fmt::format("'{}' does not give {} the right to '{}'", domain_, who(), scope);
    hint = {};
  }
  throw Error(ErrorCode::upstream_denied, std::move(message))
      .with_hint(std::move(hint))
      .with_remote_text(registry_words(response), response.status);
}

Authorizer::Token Authorizer::read_token(
    const net::HttpResponse& response, Ctx::Clock::time_point asked_at) const {
  boost::system::error_code failure;
  const json::value value = json::parse(response.body, failure);
  if (!failure && value.is_object()) {
    const json::object& answer = value.get_object();
    std::string token = text_member(answer, "token");
    if (token.empty()) {
      token = text_member(answer, "access_token");
    }
    if (is_safe_token(token)) {
      return Token{Secret(std::move(token)), asked_at + lifetime_of(answer)};
    }
  }
  throw Error(
      ErrorCode::corrupt_data,
      fmt::format("the token server of '{}' gave an answer without a token", domain_));
}

}  // namespace freshet::oci
