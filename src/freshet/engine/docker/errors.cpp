// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/errors.hpp"

#include "freshet/base/text.hpp"
#include "freshet/engine/docker/json_access.hpp"
#include "freshet/engine/docker/version.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <optional>

namespace freshet::engine {
namespace {

bool is(const boost::system::error_code& code, int number) {
  return code.category() == boost::system::system_category() && code.value() == number;
}

/// The TLS alert by which the other side ended a connection.
std::optional<int> alert_of(const boost::system::error_code& code) {
  if (code.category() != asio::error::get_ssl_category()) {
    return std::nullopt;
  }
  // OpenSSL numbers the alerts of the other side after its own reasons.
  const int alert = ERR_GET_REASON(static_cast<unsigned long>(code.value())) - SSL_AD_REASON_OFFSET;
  return alert >= 0 ? std::optional(alert) : std::nullopt;
}

ErrorCode code_of(unsigned status) {
  switch (status) {
    case 404:
      return ErrorCode::not_found;
    case 409:
      return ErrorCode::conflict;
    case 429:
      return ErrorCode::rate_limited;
    case 501:
      return ErrorCode::unsupported;
    case 502:
    case 503:
    case 504:
      return ErrorCode::unavailable;
    default:
      return ErrorCode::upstream_denied;
  }
}

std::string hint_for(std::string_view text) {
  if (text.find("no space left on device") != std::string_view::npos) {
    return "the engine's disk is full: 'docker system df' shows what takes the room";
  }
  return {};
}

}  // namespace

Error no_engine(const Endpoint& endpoint, const boost::system::error_code& cause) {
  const std::string address = endpoint.to_string();
  if (is(cause, EACCES) || is(cause, EPERM)) {
    return Error(
               ErrorCode::forbidden,
               fmt::format("no permission to use the Docker engine at {}", address))
        .with_hint(
            "become a member of the group that owns the socket "
            "('sudo usermod -aG docker $USER'), then log in again");
  }
  const bool is_plainly_absent = endpoint.kind == Endpoint::Kind::unix_socket &&
                                 (is(cause, ENOENT) || is(cause, ECONNREFUSED));
  const std::string reason = is_plainly_absent ? "" : ": " + to_lower(cause.message());
  return Error(ErrorCode::unavailable, fmt::format("no Docker engine at {}{}", address, reason))
      .with_hint("start it, or name another with --engine or DOCKER_HOST");
}

bool is_tls_alert(const boost::system::error_code& code) {
  return alert_of(code).has_value();
}

Error tls_refused(const Endpoint& endpoint, const boost::system::error_code& cause) {
  const std::optional<int> alert = alert_of(cause);
  const bool is_about_certificate =
      alert == SSL_AD_CERTIFICATE_REQUIRED || alert == SSL_AD_BAD_CERTIFICATE;
  if (is_about_certificate && endpoint.certificate_file.empty()) {
    return Error(
               ErrorCode::upstream_denied,
               fmt::format(
                   "the Docker engine at {} wants a client certificate, and there is none",
                   endpoint.to_string()))
        .with_hint(
            "put cert.pem and key.pem into the directory of DOCKER_CERT_PATH or into the docker "
            "context")
        .with_remote_text(cause.message());
  }
  return Error(
             ErrorCode::upstream_denied,
             fmt::format("no TLS connection to the Docker engine at {}", endpoint.to_string()))
      .with_hint(
          "check the engine's certificate, and ours in DOCKER_CERT_PATH or in the docker context")
      .with_remote_text(cause.message());
}

Error went_away(const boost::system::error_code& cause) {
  Error error(ErrorCode::unavailable, "the Docker engine went away");
  if (!cause) {
    return error;
  }
  const bool is_of_tls = cause.category() == asio::error::get_ssl_category();
  return std::move(error).with_remote_text(is_of_tls ? cause.message() : to_lower(cause.message()));
}

Error malformed_answer(const Endpoint& endpoint, std::string_view action) {
  return Error(
             ErrorCode::corrupt_data,
             fmt::format(
                 "the answer from {} was malformed when asked to {}", endpoint.to_string(), action))
      .with_hint("check that a Docker engine listens there");
}

Error engine_too_new(const Endpoint& endpoint, std::string_view minimum) {
  return Error(
             ErrorCode::unsupported,
             fmt::format(
                 "the Docker engine at {} speaks API {} and later, this program speaks up to {}",
                 endpoint.to_string(),
                 minimum,
                 k_max_api_version.to_string()))
      .with_hint("install a newer version of this program");
}

Error engine_too_old(const Endpoint& endpoint, std::string_view maximum) {
  return Error(
             ErrorCode::unsupported,
             fmt::format(
                 "the Docker engine at {} speaks API {}, at least {} is needed",
                 endpoint.to_string(),
                 maximum,
                 k_min_api_version.to_string()))
      .with_hint("update the engine to Docker 19.03 or later");
}

Error refused(
    std::string_view action, std::string_view subject, unsigned status, std::string_view body) {
  const std::string text = message_in(body);
  const bool is_missing = status == 404 && to_lower(text).find("no such") != std::string::npos;
  std::string message = is_missing && !subject.empty()
                            ? fmt::format("the Docker engine has no {}", subject)
                            : fmt::format("the Docker engine could not {}", action);
  return Error(code_of(status), std::move(message))
      .with_hint(hint_for(text))
      .with_remote_text(text, static_cast<int>(status));
}

std::string message_in(std::string_view body) {
  json::error_code code;
  const json::value value = json::parse(body, code);
  std::string message = code ? std::string() : text_at(as_object(value), "message");
  return message.empty() ? std::string(trim(body)) : message;
}

}  // namespace freshet::engine
