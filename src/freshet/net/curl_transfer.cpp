// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/curl_transfer.hpp"

#include "freshet/base/text.hpp"
#include "freshet/net/address.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace freshet::net {
namespace {

constexpr long k_connect_timeout_ms = 10'000;

/// Milliseconds that are left until the deadline; 0 (no limit for curl) when there is none.
long remaining_ms(Ctx ctx) {
  if (ctx.deadline == Ctx::Clock::time_point::max()) {
    return 0;
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(ctx.deadline - Ctx::Clock::now());
  return std::max<long>(left.count(), -1);
}

bool has_proxy_in_environment() {
  return std::ranges::any_of(
      std::initializer_list<const char*>{
          "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"},
      [](const char* name) {
        const char* value = std::getenv(name);
        return value != nullptr && *value != '\0';
      });
}

std::optional<asio::ip::address> to_address(const sockaddr& raw) {
  if (raw.sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &raw, sizeof in);
    return asio::ip::address_v4(ntohl(in.sin_addr.s_addr));
  }
  if (raw.sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &raw, sizeof in);
    asio::ip::address_v6::bytes_type bytes;
    std::memcpy(bytes.data(), &in.sin6_addr, bytes.size());
    return asio::ip::address_v6(bytes);
  }
  return std::nullopt;
}

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
      return TransportProblem::closed;
    default:
      return TransportProblem::other;
  }
}

/// curl bounds a header line itself (100 kB): before 8.6 it calls that lack of memory.
bool is_line_too_long(CURLcode code) {
  constexpr int k_curle_too_large = 100;  // not in the headers of older versions
  return code == CURLE_OUT_OF_MEMORY || static_cast<int>(code) == k_curle_too_large;
}

std::string_view tls_hint(CURLcode code) {
  return code == CURLE_PEER_FAILED_VERIFICATION
             ? "its certificate must be valid for this name and signed by an authority that this "
               "machine trusts; a private one is added with 'update-ca-certificates'"
             : "check that it speaks https on this port";
}

}  // namespace

CurlTransfer::CurlTransfer(Ctx ctx, HttpRequest request)
    : request_(std::move(request)), handle_(curl_easy_init()) {
  auto url = parse_url(request_.url);
  if (!url) {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format("'{}' is not an http or https URL", redacted(request_.url)));
  }
  url_ = std::move(*url);
  if (handle_ == nullptr) {
    throw Error(ErrorCode::unavailable, "out of memory");
  }
  set_up_connection(ctx);
  set_up_request();
}

template <class Value>
void CurlTransfer::set(CURLoption option, Value value) {
  const CURLcode code = curl_easy_setopt(handle_.get(), option, value);
  if (code != CURLE_OK) {
    throw Error(
        ErrorCode::internal,
        fmt::format("curl option {}: {}", int(option), curl_easy_strerror(code)));
  }
}

void CurlTransfer::set_up_connection(Ctx ctx) {
  const long left_ms = remaining_ms(ctx);
  if (left_ms < 0) {
    throw TransportError(
        TransportProblem::timed_out,
        ErrorCode::deadline_exceeded,
        fmt::format("'{}' did not answer in time", url_.authority()));
  }
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_2TLS});
  set(CURLOPT_CONNECTTIMEOUT_MS, k_connect_timeout_ms);
  set(CURLOPT_TIMEOUT_MS, left_ms);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // else cancelling joins the resolver's thread and blocks
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_ERRORBUFFER, words_.data());
  set(CURLOPT_OPENSOCKETFUNCTION, &CurlTransfer::on_open);
  set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
  if (request_.refuse_internal_peer) {
    set(CURLOPT_FRESH_CONNECT, 1L);  // a kept connection was made without the check
  }
}

void CurlTransfer::set_up_request() {
  set(CURLOPT_URL, request_.url.c_str());
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_USERAGENT, "freshet/" FRESHET_VERSION);
  set(CURLOPT_HEADERFUNCTION, &CurlTransfer::on_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &CurlTransfer::on_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  const bool has_body = request_.method == "POST" || request_.method == "PUT" ||
                        request_.method == "PATCH" || !request_.body.empty();
  if (request_.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else if (has_body) {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    set(CURLOPT_POSTFIELDS, request_.body.c_str());
  }
  if (request_.method != "HEAD") {
    set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  }
  for (const auto& [name, value] : request_.headers.fields()) {
    append_header(value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
  }
  append_header("Expect:");  // no round trip before a body
  if (!request_.headers.find("Content-Type")) {
    append_header("Content-Type:");  // curl would claim an HTML form
  }
  set(CURLOPT_HTTPHEADER, header_list_.get());
}

void CurlTransfer::append_header(const std::string& line) {
  curl_slist* longer = curl_slist_append(header_list_.get(), line.c_str());
  if (longer == nullptr) {
    throw Error(ErrorCode::unavailable, "out of memory");
  }
  static_cast<void>(header_list_.release());
  header_list_.reset(longer);
}

std::size_t CurlTransfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  const std::size_t bytes = size * count;
  transfer.header_bytes_ += bytes;
  if (transfer.header_bytes_ > k_max_header_bytes) {
    transfer.stopped_ = Stopped::header_too_large;
    return 0;
  }
  transfer.take_header_line(std::string_view(data, bytes));
  return bytes;
}

void CurlTransfer::take_header_line(std::string_view line) {
  if (line.starts_with("HTTP/")) {
    response_.headers = HttpHeaders();  // the answer after "100 Continue" or a proxy's own
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) {
    return;
  }
  // printable(): a bare carriage return inside a value must not travel on into another request.
  response_.headers.add(
      printable(trim(line.substr(0, colon)), k_max_header_bytes),
      printable(trim(line.substr(colon + 1)), k_max_header_bytes));
}

std::size_t CurlTransfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  const std::size_t bytes = size * count;
  if (transfer.response_.body.size() + bytes > transfer.request_.max_body_bytes) {
    transfer.stopped_ = Stopped::body_too_large;
    return 0;
  }
  transfer.response_.body.append(data, bytes);
  return bytes;
}

curl_socket_t CurlTransfer::on_open(void* self, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  if (transfer.request_.refuse_internal_peer && !has_proxy_in_environment()) {
    const auto peer = to_address(address->addr);
    if (!peer || is_internal_address(*peer)) {
      transfer.stopped_ = Stopped::internal_peer;
      transfer.refused_address_ = peer ? peer->to_string() : "unknown";
      return CURL_SOCKET_BAD;
    }
  }
  // Not inherited by the programs that builds start.
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

HttpResponse CurlTransfer::take_response(CURLcode code) {
  if (is_line_too_long(code)) {
    stopped_ = Stopped::header_too_large;
  }
  if (code != CURLE_OK && stopped_ != Stopped::no) {
    throw_stopped();
  }
  if (code != CURLE_OK) {
    throw_failure(code);
  }
  long status = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<int>(status);
  const char* peer = nullptr;
  if (!has_proxy_in_environment() &&
      curl_easy_getinfo(handle_.get(), CURLINFO_PRIMARY_IP, &peer) == CURLE_OK && peer != nullptr) {
    response_.peer_address = peer;
  }
  return std::move(response_);
}

void CurlTransfer::throw_stopped() {
  switch (stopped_) {
    case Stopped::header_too_large:
      throw Error(
          ErrorCode::too_large,
          fmt::format(
              "the header of the answer of '{}' is longer than {} bytes",
              url_.authority(),
              k_max_header_bytes));
    case Stopped::internal_peer:
      throw Error(
          ErrorCode::upstream_denied,
          fmt::format(
              "no connection to '{}': its name leads to the internal address {}",
              url_.authority(),
              refused_address_));
    default:
      throw Error(
          ErrorCode::too_large,
          fmt::format(
              "the answer of '{}' is longer than {} bytes",
              url_.authority(),
              request_.max_body_bytes));
  }
}

long CurlTransfer::os_error() const {
  long value = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_OS_ERRNO, &value);
  return value;
}

void CurlTransfer::throw_failure(CURLcode code) {
  const std::string peer = url_.authority();
  const TransportProblem kind = problem_of(code, os_error());
  std::string words = printable(words_.data(), CURL_ERROR_SIZE);
  if (words.empty()) {
    words = curl_easy_strerror(code);
  }
  double connect_seconds = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_CONNECT_TIME, &connect_seconds);
  switch (kind) {
    case TransportProblem::name_not_resolved:
      throw TransportError(
          kind,
          ErrorCode::unavailable,
          code == CURLE_COULDNT_RESOLVE_PROXY
              ? fmt::format("the proxy on the way to '{}' does not resolve to an address", peer)
              : fmt::format("the name '{}' does not resolve to an address", url_.host),
          "check its spelling and this machine's DNS");
    case TransportProblem::refused:
      throw TransportError(
          kind,
          ErrorCode::unavailable,
          fmt::format("'{}' refused the connection", peer),
          "check the port, and that something listens there");
    case TransportProblem::tls:
      throw TransportError(
          kind,
          ErrorCode::upstream_denied,
          fmt::format("no TLS connection to '{}': {}", peer, words),
          std::string(tls_hint(code)));
    case TransportProblem::timed_out:
      throw TransportError(
          kind,
          ErrorCode::deadline_exceeded,
          connect_seconds > 0 ? fmt::format("'{}' did not answer in time", peer)
                              : fmt::format("'{}' did not accept a connection in time", peer));
    case TransportProblem::closed:
      throw TransportError(
          kind,
          ErrorCode::unavailable,
          fmt::format("'{}' closed the connection before its answer was complete", peer));
    case TransportProblem::other:
      break;
  }
  throw TransportError(
      kind, ErrorCode::unavailable, fmt::format("no answer from '{}': {}", peer, words));
}

}  // namespace freshet::net
