// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/aws/ambient.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/files.hpp"
#include "freshet/base/text.hpp"
#include "freshet/net/address.hpp"
#include "freshet/net/url.hpp"
#include "freshet/registries/aws/sts.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace freshet::registries::aws {
namespace json = boost::json;
namespace {

using namespace std::chrono_literals;

constexpr auto k_margin = std::chrono::minutes(5);
constexpr auto k_local_limit = 5s;  // a machine outside AWS has nobody at these addresses
constexpr std::size_t k_max_token_bytes = 64UL * 1024;
/// Where plain http to a container's endpoint is the documented way.
constexpr std::array<std::string_view, 3> k_container_hosts{
    "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"};

Secret load_token(const std::string& path) {
  return Secret(std::string(trim(load_file(path, k_max_token_bytes))));
}

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

/// What container and instance answer alike.
Keys read_keys(const net::HttpResponse& response, std::string_view whence) {
  boost::system::error_code failure;
  const json::value value = json::parse(response.body, failure);
  const json::object object = !failure && value.is_object() ? value.as_object() : json::object();
  Keys keys;
  keys.access_key_id = text_of(object, "AccessKeyId");
  keys.secret_access_key = Secret(text_of(object, "SecretAccessKey"));
  keys.session_token = Secret(text_of(object, "Token"));
  keys.expires_at = parse_utc(text_of(object, "Expiration"));
  if (response.status != 200 || keys.access_key_id.empty() || keys.secret_access_key.is_empty()) {
    throw Error(
        ErrorCode::unavailable,
        fmt::format("{} gave no credentials (HTTP {})", whence, response.status));
  }
  return keys;
}

net::HttpRequest local_request(std::string method, std::string url) {
  net::HttpRequest request;
  request.method = std::move(method);
  request.url = std::move(url);
  request.max_body_bytes = k_max_token_bytes;
  return request;
}

[[noreturn]] void throw_no_identity() {
  throw Error(ErrorCode::not_found, "this machine has no identity of AWS")
      .with_hint(
          "none was found in the environment, as web identity, for the container or the instance; "
          "store an access key instead: 'freshet registry set NAME --no-use-ambient-role "
          "--access-key-id ID'");
}

/// The answer of an address that may have nobody behind it.
Awaitable<std::optional<net::HttpResponse>> try_send(
    Ctx ctx, net::HttpClient& http, net::HttpRequest request) {
  try {
    co_return co_await http.send(ctx.within(k_local_limit), std::move(request));
  } catch (const net::TransportError& error) {
    if (Ctx::Clock::now() >= ctx.deadline || error.kind() == net::TransportProblem::forbidden) {
      throw;
    }
  }
  co_return std::nullopt;
}

}  // namespace

std::optional<std::string> process_environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

AmbientKeys::AmbientKeys(
    Access access, net::HttpClient& local_http, std::string region, Environment environment)
    : access_(std::move(access)),
      local_http_(local_http),
      region_(std::move(region)),
      environment_(std::move(environment)),
      renewed_(access_.clock, k_margin) {}

Awaitable<Keys> AmbientKeys::get(Ctx ctx) {
  Renewed<Keys>::Fetch fetch = [this](Ctx limited) { return this->fetch(limited); };
  co_return co_await renewed_.get(ctx, std::move(fetch));
}

Awaitable<Renewed<Keys>::Dated> AmbientKeys::fetch(Ctx ctx) {
  Renewed<Keys>::Dated dated;
  dated.value = co_await in_context("finding this machine's identity of AWS", find(ctx));
  dated.expires_at = dated.value.expires_at;
  co_return dated;
}

Awaitable<Keys> AmbientKeys::find(Ctx ctx) {
  const auto id = environment_("AWS_ACCESS_KEY_ID");
  const auto key = environment_("AWS_SECRET_ACCESS_KEY");
  if (id && key) {
    Keys keys;
    keys.access_key_id = *id;
    keys.secret_access_key = Secret(*key);
    keys.session_token = Secret(environment_("AWS_SESSION_TOKEN").value_or(""));
    co_return keys;
  }
  const auto token_file = environment_("AWS_WEB_IDENTITY_TOKEN_FILE");
  if (token_file && environment_("AWS_ROLE_ARN")) {
    co_return co_await from_web_identity(ctx, *token_file);
  }
  const std::string container = container_url();
  if (!container.empty()) {
    co_return co_await from_container(ctx, container);
  }
  if (to_lower(environment_("AWS_EC2_METADATA_DISABLED").value_or("")) == "true") {
    throw_no_identity();
  }
  co_return co_await from_instance(ctx);
}

Awaitable<Keys> AmbientKeys::from_web_identity(Ctx ctx, std::string token_file) {
  Role role;
  role.arn = environment_("AWS_ROLE_ARN").value_or("");
  role.session_name = environment_("AWS_ROLE_SESSION_NAME").value_or("freshet");
  const std::string region =
      environment_("AWS_REGION").value_or(environment_("AWS_DEFAULT_REGION").value_or(region_));
  co_return co_await assume_role_with_web_identity(
      ctx, access_, region, load_token(token_file), std::move(role));
}

std::string AmbientKeys::container_url() const {
  if (const auto path = environment_("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")) {
    return access_.endpoints.container + *path;
  }
  return environment_("AWS_CONTAINER_CREDENTIALS_FULL_URI").value_or("");
}

Awaitable<Keys> AmbientKeys::from_container(Ctx ctx, std::string url) {
  const auto parsed = net::parse_url(url);
  const bool is_safe =
      parsed && (parsed->scheme == "https" || net::is_loopback_host(parsed->host) ||
                 std::ranges::find(k_container_hosts, parsed->host) != k_container_hosts.end());
  if (!is_safe) {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format(
            "the credentials endpoint '{}' is neither https nor an address of this machine",
            printable(net::redacted(url), 200)));
  }
  net::HttpRequest request = local_request("GET", url);
  std::string token = environment_("AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or("");
  if (const auto file = environment_("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")) {
    token = load_token(*file).reveal();
  }
  if (!token.empty()) {
    request.headers.add("Authorization", token);
  }
  const net::HttpResponse response =
      co_await local_http_.send(ctx.within(k_local_limit), std::move(request));
  co_return read_keys(response, "the container's credentials endpoint");
}

Awaitable<Keys> AmbientKeys::from_instance(Ctx ctx) {
  const std::string base = access_.endpoints.instance_metadata + "/latest/";
  net::HttpRequest session = local_request("PUT", base + "api/token");
  session.headers.add("X-aws-ec2-metadata-token-ttl-seconds", "300");
  const auto token = co_await try_send(ctx, local_http_, std::move(session));
  if (!token || token->status != 200 || token->body.empty()) {
    throw_no_identity();
  }
  const std::string where = base + "meta-data/iam/security-credentials/";
  net::HttpRequest list = local_request("GET", where);
  list.headers.add("X-aws-ec2-metadata-token", token->body);
  const net::HttpResponse roles =
      co_await local_http_.send(ctx.within(k_local_limit), std::move(list));
  const std::string role(trim(std::string_view(roles.body).substr(0, roles.body.find('\n'))));
  if (roles.status != 200 || role.empty()) {
    throw Error(ErrorCode::not_found, "this instance has no role of AWS")
        .with_hint("attach an instance profile to it");
  }
  net::HttpRequest request = local_request("GET", where + net::url_encode(role));
  request.headers.add("X-aws-ec2-metadata-token", token->body);
  const net::HttpResponse response =
      co_await local_http_.send(ctx.within(k_local_limit), std::move(request));
  co_return read_keys(response, "the instance's metadata");
}

}  // namespace freshet::registries::aws
