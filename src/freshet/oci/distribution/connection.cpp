// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/distribution/connection.hpp"

#include "freshet/base/text.hpp"
#include "freshet/net/address.hpp"
#include "freshet/oci/distribution/location.hpp"
#include "freshet/oci/distribution/pull_quota.hpp"
#include "freshet/oci/reference.hpp"

#include <fmt/format.h>

namespace freshet::oci {
namespace {

using namespace std::chrono_literals;

constexpr auto k_scheme_probe_limit = 5s;  // a plain server may just stay silent
constexpr int k_max_redirects = 5;
constexpr std::size_t k_max_refusal = 64UL * 1024;

std::string api_host(std::string_view domain) {
  return domain == "docker.io" ? "registry-1.docker.io" : std::string(domain);
}

/// What a plain server makes of a TLS greeting: nonsense, silence, or the end of the connection.
bool may_speak_plain_http(net::TransportProblem problem) {
  return problem == net::TransportProblem::tls || problem == net::TransportProblem::timed_out ||
         problem == net::TransportProblem::closed;
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

RegistryConnection::RegistryConnection(
    net::HttpClient& http,
    std::string domain,
    std::shared_ptr<CredentialSource> credentials,
    RegistryOptions options)
    : http_(http),
      domain_(canonical_domain(domain)),
      host_(api_host(domain_)),
      options_(std::move(options)),
      authorizer_(http, domain_, std::move(credentials)) {
  authorizer_.bind_to(options_.token_server);
  if (!is_valid_domain(host_)) {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format("'{}' is not a registry host", printable(domain_, 255)));
  }
}

Awaitable<net::HttpResponse> RegistryConnection::probe(Ctx ctx, std::string scheme) {
  net::HttpRequest request;
  request.url = fmt::format("{}://{}/v2/", scheme, host_);
  co_return co_await http_.send(ctx, std::move(request));
}

Awaitable<std::optional<net::TransportError>> RegistryConnection::try_scheme(
    Ctx ctx, std::string scheme) {
  try {
    const net::HttpResponse response = co_await probe(ctx.within(k_scheme_probe_limit), scheme);
    if (scheme == "http" && response.status == 400) {  // how a TLS server answers plain text
      net::TransportError not_plain(
          net::TransportProblem::other, ErrorCode::unavailable, "plain http is not spoken");
      co_return not_plain;
    }
  } catch (const net::TransportError& error) {
    co_return error;
  }
  co_return std::nullopt;
}

Awaitable<void> RegistryConnection::find_origin(Ctx ctx) {
  const auto secure = net::parse_url(fmt::format("https://{}/", host_));
  const auto plain = net::parse_url(fmt::format("http://{}/", host_));
  FRESHET_ASSERT(secure && plain);
  if (!net::is_loopback_host(secure->host) && !options_.is_plain_http_allowed) {
    origin_ = secure;
    co_return;
  }
  Attempts attempts(options_, domain_);
  for (;;) {
    const auto failure = co_await try_scheme(ctx, "https");
    if (!failure) {
      origin_ = secure;
      co_return;
    }
    if (!may_speak_plain_http(failure->kind())) {
      throw net::TransportError(*failure);
    }
    const auto plain_failure = co_await try_scheme(ctx, "http");
    if (!plain_failure) {
      origin_ = plain;
      co_return;
    }
    const bool goes_on =
        is_worth_retrying(*plain_failure) && co_await attempts.wait_for_next(ctx, std::nullopt);
    if (!goes_on) {
      throw net::TransportError(*failure);
    }
  }
}

Awaitable<net::Url> RegistryConnection::origin(Ctx ctx) {
  if (!origin_) {
    co_await find_origin(ctx);
  }
  co_return *origin_;
}

Awaitable<net::HttpResponse> RegistryConnection::send_once(
    Ctx ctx, net::HttpRequest request, std::string scope) {
  const net::Url registry = co_await origin(ctx);
  request.url = registry.origin() + request.url;
  net::HttpResponse response = co_await authorizer_.send(ctx, std::move(request), std::move(scope));
  watch_quota(response);
  co_return response;
}

void RegistryConnection::watch_quota(const net::HttpResponse& response) {
  const auto quota = pull_quota(response);
  if (!quota || !quota->is_nearly_used_up() || has_told_quota_ || !options_.notice) {
    return;
  }
  has_told_quota_ = true;
  options_.notice(fmt::format(
      "'{}' allows {} more pulls; its limit is {}", domain_, quota->remaining, quota->to_string()));
}

Awaitable<net::HttpResponse> RegistryConnection::send(
    Ctx ctx, net::HttpRequest request, std::string scope) {
  LastAnswer last = co_await send_telling(ctx, std::move(request), std::move(scope));
  co_return std::move(last.response);
}

Awaitable<LastAnswer> RegistryConnection::send_telling(
    Ctx ctx, net::HttpRequest request, std::string scope) {
  constexpr int k_first_server_error = 500;
  LastAnswer last;
  Attempts attempts(options_, domain_);
  for (;;) {
    auto sending = send_once(ctx, request, scope);
    auto attempted = co_await attempt(std::move(sending));
    if (attempted.trouble) {
      const Trouble trouble = *attempted.trouble;
      const bool goes_on =
          trouble.is_worth_retrying && co_await attempts.wait_for_next(ctx, trouble.retry_after);
      if (!goes_on) {
        std::rethrow_exception(trouble.failure);
      }
      last.may_be_done_before = true;
      continue;
    }
    last.response = std::move(*attempted.answer);
    const bool goes_on = is_worth_retrying(last.response) &&
                         co_await attempts.wait_for_next(ctx, wanted_rest(last.response));
    if (!goes_on) {
      co_return last;
    }
    last.may_be_done_before =
        last.may_be_done_before || last.response.status >= k_first_server_error;
  }
}

net::Url RegistryConnection::require_sound_redirect(
    const net::Url& from, const net::HttpResponse& response) const {
  const std::string location = response.headers.find("Location").value_or("");
  const auto to = resolve_location(from, location);
  const auto refuse = [&](std::string_view reason) {
    const std::string where = to ? to->origin() + to->path : std::string("(malformed URL)");
    throw Error(
        ErrorCode::upstream_denied,
        fmt::format("'{}' redirects to '{}', which {}", from.authority(), where, reason));
  };
  if (!to || to->has_userinfo || !is_valid_domain(to->host)) {
    refuse("is not a plain http or https URL");
  }
  if (from.scheme == "https" && to->scheme != "https") {
    refuse("is not encrypted");
  }
  if (to->host != origin_->host && net::is_internal_host(to->host) &&
      !net::is_internal_host(origin_->host) && !authorizer_.is_registry_internal()) {
    refuse("is an internal address");
  }
  return *to;
}

Awaitable<StreamedAnswer> RegistryConnection::fetch_from_stranger(
    Ctx ctx, net::HttpRequest request) {
  const auto url = net::parse_url(request.url);
  request.refuse_internal_peer = url->host != origin_->host && !authorizer_.is_registry_internal();
  StreamedAnswer answer;
  answer.body = co_await http_.open(ctx, std::move(request));
  answer.head = answer.body->head();
  if (answer.head.status < 300 || is_redirect(answer.head.status)) {
    co_return answer;
  }
  answer.head.body.clear();
  try {
    answer.head.body = co_await answer.body->read_all(k_max_refusal);
  } catch (const Error&) {
    answer.head.body.clear();  // its words are not worth more than its status
  }
  answer.body.reset();
  const Request about{"a download", "what its registry said it has"};
  // 403 is what a signed URL gives that has expired: the registry will sign another.
  const bool is_worth_retrying = answer.head.status == 403 || oci::is_worth_retrying(answer.head);
  throw ServerTrouble(
      registry_error(url->authority(), about, answer.head),
      is_worth_retrying,
      wanted_rest(answer.head));
}

Awaitable<StreamedAnswer> RegistryConnection::fetch_once(
    Ctx ctx, net::HttpRequest request, std::string scope) {
  const net::Url registry = co_await origin(ctx);
  net::Url at = *net::parse_url(registry.origin() + request.url);
  for (int redirects = 0;; ++redirects) {
    request.url = at.origin() + at.target();
    const bool is_registry = at.origin() == registry.origin();
    auto fetching =
        is_registry ? authorizer_.open(ctx, request, scope) : fetch_from_stranger(ctx, request);
    StreamedAnswer answer = co_await std::move(fetching);
    if (!is_redirect(answer.head.status)) {
      co_return answer;
    }
    if (redirects == k_max_redirects) {
      throw Error(
          ErrorCode::upstream_denied,
          fmt::format("'{}' redirects a download more than {} times", domain_, k_max_redirects));
    }
    at = require_sound_redirect(at, answer.head);
  }
}

}  // namespace freshet::oci
