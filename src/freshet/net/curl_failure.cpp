// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/curl_failure.hpp"

#include "freshet/net/http.hpp"

#include <fmt/format.h>

#include <cerrno>

namespace freshet::net {
namespace {

TransportProblem problem_of(CURLcode code, long os_error) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return TransportProblem::name_not_resolved;
    case CURLE_COULDNT_CONNECT:
      return os_error == ECONNREFUSED ? TransportProblem::refused : TransportProblem::other;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_ENGINE_INITFAILED:
      return TransportProblem::tls;
    case CURLE_OPERATION_TIMEDOUT:
      return TransportProblem::timed_out;
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_SEND_FAIL_REWIND:  // a kept connection had ended; the body cannot be read again
      return TransportProblem::closed;
    default:
      return TransportProblem::other;
  }
}

std::string_view tls_hint(const CurlFailure& failure) {
  if (failure.code != CURLE_PEER_FAILED_VERIFICATION) {
    return "check that it speaks https on this port";
  }
  return failure.has_own_authorities
             ? "its certificate must be valid for this name and signed by one of the configured "
               "CA certificates or an authority that this machine trusts"
             : "its certificate must be valid for this name and signed by an authority that this "
               "machine trusts; a private one is added with 'update-ca-certificates'";
}

std::string timeout_words(const CurlFailure& failure, const std::string& peer) {
  double connect_seconds = 0;
  curl_easy_getinfo(failure.handle, CURLINFO_CONNECT_TIME, &connect_seconds);
  if (failure.has_header) {
    return fmt::format("the answer of '{}' was not complete in time", peer);
  }
  return connect_seconds > 0 ? fmt::format("'{}' did not answer in time", peer)
                             : fmt::format("'{}' did not accept a connection in time", peer);
}

long number(CURL* handle, CURLINFO what) {
  long value = 0;
  curl_easy_getinfo(handle, what, &value);
  return value;
}

/// Whether it was the proxy that did not take the connection. Older curl says so only by naming, in
/// `Failed to connect to HOST port PORT`, another host or port than those of the URL.
bool is_about_proxy(const CurlFailure& failure) {
  if (!failure.may_use_proxy) {
    return false;
  }
#if LIBCURL_VERSION_NUM >= 0x080700
  return number(failure.handle, CURLINFO_USED_PROXY) != 0;
#else
  std::string_view host = failure.url.host;
  if (host.starts_with('[')) {
    host = host.substr(1, host.size() - 2);
  }
  const std::string direct = fmt::format("connect to {} port {} ", host, failure.url.port);
  return failure.words.find("connect to ") != std::string::npos &&
         failure.words.find(direct) == std::string::npos;
#endif
}

[[noreturn]] void throw_refused(const CurlFailure& failure, const std::string& peer) {
  if (is_about_proxy(failure)) {
    throw TransportError(
        TransportProblem::refused,
        ErrorCode::unavailable,
        fmt::format("the proxy on the way to '{}' refused the connection", peer),
        "check the address of the proxy, and that it runs");
  }
  throw TransportError(
      TransportProblem::refused,
      ErrorCode::unavailable,
      fmt::format("'{}' refused the connection", peer),
      "check the port, and that something listens there");
}

}  // namespace

void throw_proxy_refusal(const Url& url, long status) {
  const std::string peer = url.authority();
  if (status == 407) {
    throw TransportError(
        TransportProblem::other,
        ErrorCode::upstream_denied,
        fmt::format("the proxy on the way to '{}' wants other credentials (HTTP 407)", peer),
        "check the user name and password of the proxy");
  }
  throw TransportError(
      TransportProblem::other,
      ErrorCode::unavailable,
      fmt::format("the proxy on the way to '{}' let nothing through (HTTP {})", peer, status),
      "ask whoever runs the proxy whether it may reach this host");
}

void throw_transport_error(const CurlFailure& failure) {
  const std::string peer = failure.url.authority();
  const TransportProblem kind = problem_of(failure.code, number(failure.handle, CURLINFO_OS_ERRNO));
  const std::string words =
      failure.words.empty() ? curl_easy_strerror(failure.code) : failure.words;
  if (const long status = number(failure.handle, CURLINFO_HTTP_CONNECTCODE); status >= 300) {
    throw_proxy_refusal(failure.url, status);
  }
  if (failure.code == CURLE_RECV_ERROR && words.find("chunk") != std::string::npos) {
    throw TransportError(
        TransportProblem::other,
        ErrorCode::unavailable,
        fmt::format("'{}' sent an answer in malformed chunks", peer));
  }
  switch (kind) {
    case TransportProblem::name_not_resolved:
      throw TransportError(
          kind,
          ErrorCode::unavailable,
          failure.code == CURLE_COULDNT_RESOLVE_PROXY
              ? fmt::format("the proxy on the way to '{}' does not resolve to an address", peer)
              : fmt::format("the name '{}' does not resolve to an address", failure.url.host),
          "check its spelling and this machine's DNS");
    case TransportProblem::refused:
      throw_refused(failure, peer);
    case TransportProblem::tls:
      throw TransportError(
          kind,
          ErrorCode::upstream_denied,
          fmt::format("no TLS connection to '{}': {}", peer, words),
          std::string(tls_hint(failure)));
    case TransportProblem::timed_out:
      throw TransportError(
          kind,
          failure.is_too_late ? ErrorCode::deadline_exceeded : ErrorCode::unavailable,
          timeout_words(failure, peer));
    case TransportProblem::closed:
      throw TransportError(
          kind,
          ErrorCode::unavailable,
          fmt::format("'{}' closed the connection before its answer was complete", peer));
    case TransportProblem::forbidden:  // curl knows no such failure
    case TransportProblem::other:
      break;
  }
  throw TransportError(
      kind, ErrorCode::unavailable, fmt::format("no answer from '{}': {}", peer, words));
}

}  // namespace freshet::net
