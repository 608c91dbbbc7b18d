// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/distribution/client.hpp"

#include "freshet/base/text.hpp"
#include "freshet/net/address.hpp"
#include "freshet/oci/manifest.hpp"
#include "freshet/oci/reference.hpp"

#include <fmt/format.h>

#include <charconv>

namespace freshet::oci {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t k_max_manifest_bytes = 4UL * 1024 * 1024;  // what the specification allows
constexpr auto k_scheme_probe_limit = 5s;  // on this machine; a plain server may just stay silent

std::string api_host(std::string_view domain) {
  return domain == "docker.io" ? "registry-1.docker.io" : std::string(domain);
}

/// What a plain server makes of a TLS greeting: nonsense, silence, or the end of the connection.
bool may_speak_plain_http(net::TransportProblem problem) {
  return problem == net::TransportProblem::tls || problem == net::TransportProblem::timed_out ||
         problem == net::TransportProblem::closed;
}

std::string pull_scope(std::string_view repository) {
  return fmt::format("repository:{}:pull", repository);
}

void require_repository(std::string_view repository) {
  if (!is_valid_repository_path(repository)) {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format("'{}' is not a repository", printable(repository, 255)));
  }
}

void require_names(std::string_view repository, std::string_view reference) {
  require_repository(repository);
  if (!is_valid_tag(reference) && !Digest::parse(reference)) {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format("'{}' is neither a tag nor a digest", printable(reference, 255)));
  }
}

/// `application/json` of `Application/JSON; charset=utf-8`.
std::string media_type_of(const net::HttpResponse& response) {
  const std::string type = response.headers.find("Content-Type").value_or("");
  return to_lower(trim(split(type, ';').front()));
}

std::optional<std::uint64_t> length_of(const net::HttpResponse& response) {
  const std::string text = response.headers.find("Content-Length").value_or("");
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = failure == std::errc() && end == text.data() + text.size();
  return is_number ? std::optional(value) : std::nullopt;
}

std::string named(std::string_view repository, std::string_view reference) {
  return fmt::format("{}{}{}", repository, Digest::parse(reference) ? "@" : ":", reference);
}

Request about_manifest(std::string_view repository, std::string_view reference) {
  const std::string name = named(repository, reference);
  return Request{fmt::format("reading the manifest of '{}'", name), fmt::format("'{}'", name)};
}

/// The digest that the registry claims; nullopt when it claims none. Throws corrupt_data when the
/// claim is malformed or another than was asked for.
std::optional<Digest> claimed_digest(
    std::string_view domain, const net::HttpResponse& response, std::string_view reference) {
  const auto text = response.headers.find("Docker-Content-Digest");
  if (!text) {
    return std::nullopt;
  }
  auto digest = Digest::parse(*text);
  if (!digest) {
    throw Error(
        ErrorCode::corrupt_data,
        fmt::format("'{}' answered with the malformed digest '{}'", domain, printable(*text, 100)));
  }
  if (Digest::parse(reference) && digest->to_string() != reference) {
    throw Error(
        ErrorCode::corrupt_data,
        fmt::format(
            "'{}' was asked for '{}' and gave '{}'", domain, reference, digest->to_string()));
  }
  return digest;
}

}  // namespace

RegistryClient::RegistryClient(
    net::HttpClient& http, std::string domain, std::optional<Credentials> credentials)
    : http_(http),
      domain_(canonical_domain(domain)),
      host_(api_host(domain_)),
      authorizer_(http, domain_, std::move(credentials)) {
  if (!is_valid_domain(host_)) {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format("'{}' is not a registry host", printable(domain_, 255)));
  }
}

Awaitable<net::HttpResponse> RegistryClient::probe(Ctx ctx, std::string scheme) {
  net::HttpRequest request;
  request.url = fmt::format("{}://{}/v2/", scheme, host_);
  co_return co_await http_.send(ctx, std::move(request));
}

Awaitable<std::optional<net::TransportError>> RegistryClient::try_scheme(
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

Awaitable<void> RegistryClient::find_origin(Ctx ctx) {
  const auto secure = net::parse_url(fmt::format("https://{}/", host_));
  const auto plain = net::parse_url(fmt::format("http://{}/", host_));
  FRESHET_ASSERT(secure && plain);
  if (!net::is_loopback_host(secure->host)) {
    origin_ = secure;
    co_return;
  }
  const auto failure = co_await try_scheme(ctx, "https");
  if (!failure) {
    origin_ = secure;
    co_return;
  }
  if (!may_speak_plain_http(failure->kind())) {
    throw net::TransportError(*failure);
  }
  if (co_await try_scheme(ctx, "http")) {
    throw net::TransportError(*failure);
  }
  origin_ = plain;
}

Awaitable<net::HttpResponse> RegistryClient::send(
    Ctx ctx, net::HttpRequest request, std::string scope) {
  if (!origin_) {
    co_await find_origin(ctx);
  }
  request.url = origin_->origin() + request.url;
  co_return co_await authorizer_.send(ctx, std::move(request), std::move(scope));
}

Awaitable<PingAnswer> RegistryClient::ping(Ctx ctx) {
  if (!origin_) {
    co_await find_origin(ctx);
  }
  const net::HttpResponse response = co_await probe(ctx, origin_->scheme);
  if (response.status == 429 || response.status >= 500) {
    throw registry_error(domain_, Request{"the first contact", "an API"}, response);
  }
  PingAnswer answer = judge_ping(response);
  answer.is_encrypted = origin_->scheme == "https";
  co_return answer;
}

Awaitable<void> RegistryClient::check_credentials(Ctx ctx) {
  net::HttpRequest request;
  request.url = "/v2/";
  const net::HttpResponse response = co_await send(ctx, request, "");
  if (response.status == 200) {
    const PingAnswer answer = judge_ping(response);
    if (!answer.is_registry) {
      throw Error(
          ErrorCode::unsupported,
          fmt::format("'{}' is not a registry: it answered {}", domain_, answer.evidence));
    }
    co_return;
  }
  if (response.status != 401 && response.status != 403) {
    throw registry_error(domain_, Request{"the login", "an API"}, response);
  }
  std::string message =
      authorizer_.has_credentials()
          ? fmt::format("'{}' refused the credentials of {}", domain_, authorizer_.who())
          : fmt::format("'{}' gives no access without credentials", domain_);
  throw Error(ErrorCode::upstream_denied, std::move(message))
      .with_hint("check user name and password; many registries want an access token as password")
      .with_remote_text(registry_words(response), response.status);
}

Awaitable<net::HttpResponse> RegistryClient::request_manifest(
    Ctx ctx, std::string method, std::string repository, std::string reference) {
  require_names(repository, reference);
  net::HttpRequest request;
  request.method = method;
  request.url = fmt::format("/v2/{}/manifests/{}", repository, reference);
  request.max_body_bytes = k_max_manifest_bytes;
  request.headers.add("Accept", fmt::format("{}", fmt::join(k_manifest_media_types, ", ")));
  co_return co_await send(ctx, std::move(request), pull_scope(repository));
}

Awaitable<std::optional<Descriptor>> RegistryClient::find_manifest(
    Ctx ctx, std::string repository, std::string reference) {
  net::HttpResponse response = co_await request_manifest(ctx, "HEAD", repository, reference);
  if (response.status == 200) {
    const auto digest = claimed_digest(domain_, response, reference);
    const auto length = length_of(response);
    if (digest && length) {
      co_return Descriptor{media_type_of(response), *digest, *length};
    }
  }
  if (response.status != 404) {
    // Some registries do not answer HEAD in full, and none says in it why it refuses.
    response = co_await request_manifest(ctx, "GET", repository, reference);
  }
  if (response.status == 404) {
    co_return std::nullopt;
  }
  const Request request = about_manifest(repository, reference);
  const Manifest manifest = co_await read_manifest(std::move(response), reference, request);
  co_return manifest.descriptor;
}

Awaitable<Manifest> RegistryClient::get_manifest(
    Ctx ctx, std::string repository, std::string reference) {
  net::HttpResponse response = co_await request_manifest(ctx, "GET", repository, reference);
  const Request request = about_manifest(repository, reference);
  co_return co_await read_manifest(std::move(response), reference, request);
}

Awaitable<Manifest> RegistryClient::read_manifest(
    net::HttpResponse response, std::string reference, Request request) {
  if (response.status != 200) {
    throw registry_error(domain_, request, response);
  }
  const auto claimed = claimed_digest(domain_, response, reference);
  const auto asked = Digest::parse(reference);
  const Digest expected = asked ? *asked : claimed.value_or(Digest::of(response.body));
  if (!expected.is_of(response.body) || (claimed && !claimed->is_of(response.body))) {
    throw Error(
        ErrorCode::corrupt_data,
        fmt::format(
            "'{}' sent other bytes for {} than their digest '{}' says",
            domain_,
            request.subject,
            expected.to_string()));
  }
  const std::string media_type = media_type_of(response);
  in_context(request.action, [&] { require_sound_manifest(response.body, media_type); });
  const Descriptor descriptor{media_type, expected, response.body.size()};
  co_return Manifest{descriptor, std::move(response.body)};
}

Awaitable<void> RegistryClient::delete_manifest(Ctx ctx, std::string repository, Digest digest) {
  require_repository(repository);
  net::HttpRequest request;
  request.method = "DELETE";
  request.url = fmt::format("/v2/{}/manifests/{}", repository, digest.to_string());
  const std::string name = named(repository, digest.to_string());
  const Request about{fmt::format("deleting '{}'", name), fmt::format("'{}'", name)};
  const net::HttpResponse response =
      co_await send(ctx, request, fmt::format("repository:{}:delete", repository));
  if (response.status == 405) {
    throw Error(ErrorCode::unsupported, fmt::format("'{}' does not let images be deleted", domain_))
        .with_remote_text(registry_words(response), response.status);
  }
  if (response.status != 202 && response.status != 200 && response.status != 204) {
    throw registry_error(domain_, about, response);
  }
}

}  // namespace freshet::oci
