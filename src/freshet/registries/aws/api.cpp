// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/aws/api.hpp"

#include "freshet/base/text.hpp"
#include "freshet/net/retry.hpp"
#include "freshet/registries/aws/names.hpp"
#include "freshet/registries/aws/sigv4.hpp"
#include "freshet/registries/aws/xml_text.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>

namespace freshet::registries::aws {
namespace json = boost::json;
namespace {

constexpr std::size_t k_max_answer_bytes = 256UL * 1024;
constexpr auto k_limit = std::chrono::seconds(30);
constexpr net::RetryPolicy k_policy{
    .max_attempts = 4,
    .first_delay = std::chrono::milliseconds(200),
    .max_delay = std::chrono::milliseconds(5000)};
constexpr std::array<std::string_view, 5> k_expired{
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "UnrecognizedClientException",
    "InvalidClientTokenId"};

Service service(
    std::string name, const std::string& region, const std::string& chosen, std::string_view host) {
  return {
      std::move(name),
      region,
      chosen.empty() ? fmt::format("https://{}.{}.{}", host, region, dns_suffix(region)) : chosen};
}

struct Reason {
  std::string kind;
  std::string message;
};

/// `Kind` of `com.amazonaws.ecr#Kind` and of `Kind:http://…`.
std::string bare_kind(std::string_view text) {
  text = text.substr(0, text.find(':'));
  const std::size_t hash = text.find('#');
  return printable(hash == std::string_view::npos ? text : text.substr(hash + 1), 100);
}

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

Reason reason_of(const net::HttpResponse& response) {
  Reason reason;
  boost::system::error_code failure;
  const json::value value = json::parse(response.body, failure);
  if (!failure && value.is_object()) {
    reason.kind = bare_kind(text_of(value.as_object(), "__type"));
    reason.message = text_of(value.as_object(), "message");
    if (reason.message.empty()) {
      reason.message = text_of(value.as_object(), "Message");
    }
    return reason;
  }
  reason.kind = bare_kind(find_xml_text(response.body, {"Error", "Code"}).value_or(""));
  reason.message = find_xml_text(response.body, {"Error", "Message"}).value_or("");
  return reason;
}

bool is_busy(const net::HttpResponse& response, const Reason& reason) {
  return response.status >= 500 || response.status == 429 ||
         reason.kind.find("Throttl") != std::string::npos ||
         reason.kind == "RequestLimitExceeded" || reason.kind == "TooManyRequestsException";
}

Refusal refusal(const Service& service, const net::HttpResponse& response, const Reason& reason) {
  const bool is_limit = is_busy(response, reason) && response.status < 500;
  const ErrorCode code = response.status >= 500 ? ErrorCode::unavailable
                         : is_limit             ? ErrorCode::rate_limited
                                                : ErrorCode::upstream_denied;
  Refusal out(
      code,
      fmt::format(
          "AWS refused a request to service '{}' in region '{}'", service.name, service.region),
      reason.kind);
  const std::string words = reason.kind.empty() && reason.message.empty()
                                ? response.body
                                : fmt::format("{}: {}", reason.kind, reason.message);
  static_cast<void>(static_cast<Error&&>(out).with_remote_text(words, response.status));
  return out;
}

double random_part() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

/// What one attempt came to.
struct Attempt {
  std::optional<net::HttpResponse> response;
  std::optional<net::TransportError> failure;
};

Awaitable<Attempt> send_once(Ctx ctx, net::HttpClient& http, net::HttpRequest request) {
  Attempt out;
  try {
    out.response.emplace(co_await http.send(ctx, std::move(request)));
  } catch (const net::TransportError& error) {
    if (error.code() == ErrorCode::deadline_exceeded ||
        error.kind() == net::TransportProblem::forbidden) {
      throw;
    }
    out.failure = error;
  }
  co_return out;
}

bool is_expired_key(const Reason& reason) {
  return std::ranges::find(k_expired, reason.kind) != k_expired.end();
}

Awaitable<net::HttpResponse> call(
    Ctx ctx,
    Access access,
    Service service,
    std::shared_ptr<KeySource> keys,
    net::HttpRequest plain) {
  plain.method = "POST";
  plain.url = service.origin + "/";
  plain.max_body_bytes = k_max_answer_bytes;
  const Ctx limited = ctx.within(k_limit);
  for (int attempt = 1;; ++attempt) {
    net::HttpRequest request = plain;
    if (keys) {
      const Keys current = co_await keys->get(limited);
      sign(request, current, service.region, service.name, access.clock());
    }
    Attempt outcome = co_await send_once(limited, *access.http, std::move(request));
    if (outcome.response && outcome.response->status == 200) {
      co_return std::move(*outcome.response);
    }
    Reason reason;
    if (outcome.response) {
      reason = reason_of(*outcome.response);
      if (is_expired_key(reason) && attempt == 1 && keys && keys->discard()) {
        continue;
      }
      if (!is_busy(*outcome.response, reason)) {
        throw refusal(service, *outcome.response, reason);
      }
    }
    const auto delay = net::next_delay(attempt, k_policy, std::nullopt, &random_part);
    if (!delay || Ctx::Clock::now() + *delay >= limited.deadline) {
      if (outcome.failure) {
        throw net::TransportError(*outcome.failure);
      }
      throw refusal(service, *outcome.response, reason);
    }
    co_await sleep_for(*delay);
  }
}

}  // namespace

Service ecr_service(const Endpoints& endpoints, const std::string& region) {
  return service("ecr", region, endpoints.ecr, "api.ecr");
}

Service ecr_public_service(const Endpoints& endpoints) {
  // The only region where the public registry has its API, whatever the images' readers are near.
  return service("ecr-public", "us-east-1", endpoints.ecr_public, "api.ecr-public");
}

Service sts_service(const Endpoints& endpoints, const std::string& region) {
  return service("sts", region, endpoints.sts, "sts");
}

Awaitable<json::object> call_json(
    Ctx ctx,
    Access access,
    Service service,
    std::shared_ptr<KeySource> keys,
    std::string target,
    json::object body) {
  net::HttpRequest request;
  request.headers.add("Content-Type", "application/x-amz-json-1.1");
  request.headers.add("X-Amz-Target", std::move(target));
  request.body = json::serialize(body);
  const std::string name = service.name;
  const net::HttpResponse response = co_await call(
      ctx, std::move(access), std::move(service), std::move(keys), std::move(request));
  boost::system::error_code failure;
  const json::value value = json::parse(response.body, failure);
  if (failure || !value.is_object()) {
    throw Error(
        ErrorCode::corrupt_data,
        fmt::format("the answer of the AWS service '{}' is not a JSON object", name));
  }
  co_return value.as_object();
}

Awaitable<std::string> call_query(
    Ctx ctx, Access access, Service service, std::shared_ptr<KeySource> keys, std::string form) {
  net::HttpRequest request;
  request.headers.add("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
  request.body = std::move(form);
  net::HttpResponse response = co_await call(
      ctx, std::move(access), std::move(service), std::move(keys), std::move(request));
  co_return std::move(response.body);
}

}  // namespace freshet::registries::aws
