// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/curl_transfer.hpp"

#include "freshet/base/text.hpp"
#include "freshet/net/address.hpp"
#include "freshet/net/answer_framing.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace freshet::net {
namespace {

constexpr long k_connect_timeout_ms = 10'000;
/// What curl moves by one system call in a stream: larger ones gain nothing on loopback, and each
/// transfer holds one.
constexpr long k_stream_buffer_bytes = 256L * 1024;

/// Milliseconds that are left until the deadline; 0 (no limit for curl) when there is none.
long remaining_ms(Ctx ctx) {
  if (ctx.deadline == Ctx::Clock::time_point::max()) {
    return 0;
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(ctx.deadline - Ctx::Clock::now());
  return left.count() > 0 ? long{left.count()} : -1;
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

bool is_framing_field(std::string_view name) {
  const std::string lower = to_lower(name);
  return lower == "content-length" || lower == "transfer-encoding";
}

}  // namespace

CurlTransfer::CurlTransfer(Ctx ctx, HttpRequest request, Mode mode, const CurlSettings& settings)
    : request_(std::move(request)), mode_(mode), settings_(settings), handle_(curl_easy_init()) {
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
  deadline_ = ctx.deadline;
  set_up_connection(ctx);
  if (settings_.egress().is_set()) {
    apply_egress_policy();
  }
  set_up_request();
  set_up_body();
  set_up_headers();
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
  settings_.apply_to(handle_.get());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  // Streams have connections of their own: a reader that waits must not hold up others.
  const bool is_stream = mode_ == Mode::stream;
  set(CURLOPT_HTTP_VERSION, long{is_stream ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS});
  set(CURLOPT_CONNECTTIMEOUT_MS, k_connect_timeout_ms);
  set(CURLOPT_TIMEOUT_MS, left_ms);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // else cancelling joins the resolver's thread and blocks
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_ERRORBUFFER, words_.data());
  set(CURLOPT_OPENSOCKETFUNCTION, &CurlTransfer::on_open);
  set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
  if (request_.refuse_internal_peer) {
    settings_.ignore_no_proxy(handle_.get());  // where there is a proxy, nothing is dialled past it
    set(CURLOPT_FRESH_CONNECT, 1L);  // a kept connection was made without the check
  }
}

void CurlTransfer::apply_egress_policy() {
  const EgressPolicy& policy = settings_.egress();
  const std::string proxy = settings_.fix_way(handle_.get(), url_, !request_.refuse_internal_peer);
  if (!proxy.empty() && !policy.permits_behind_proxy(url_.host)) {
    throw_egress_refusal();
  }
  has_proxy_ = !proxy.empty();
  is_address_judged_ = !policy.permits_name(has_proxy_ ? proxy : url_.host);
  if (is_address_judged_ && !policy.has_addresses()) {
    throw_egress_refusal();  // not even the name is looked up
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
  if (mode_ == Mode::stream) {
    set(CURLOPT_BUFFERSIZE, k_stream_buffer_bytes);
  }
}

void CurlTransfer::set_up_body() {
  const std::string& method = request_.method;
  const bool has_body =
      method == "POST" || method == "PUT" || method == "PATCH" || !request_.body.empty();
  if (method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else if (request_.body_stream != nullptr) {
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_READFUNCTION, &CurlTransfer::on_read);
    set(CURLOPT_READDATA, static_cast<void*>(this));
    set(CURLOPT_UPLOAD_BUFFERSIZE, k_stream_buffer_bytes);
    set(CURLOPT_INFILESIZE_LARGE,
        request_.body_stream_length ? static_cast<curl_off_t>(*request_.body_stream_length)
                                    : curl_off_t{-1});
  } else if (has_body) {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    set(CURLOPT_POSTFIELDS, request_.body.c_str());
  }
  if (method != "HEAD") {
    set(CURLOPT_CUSTOMREQUEST, method.c_str());
  }
}

void CurlTransfer::set_up_headers() {
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
  if (transfer.has_header_) {
    return bytes;  // fields after the body, which nobody asks for
  }
  transfer.header_bytes_ += bytes;
  if (transfer.header_bytes_ > k_max_header_bytes) {
    transfer.stopped_ = Stopped::header_too_large;
    return 0;
  }
  transfer.take_header_line(std::string_view(data, bytes));
  return transfer.stopped_ == Stopped::no ? bytes : 0;
}

void CurlTransfer::take_header_line(std::string_view line) {
  if (line.starts_with("HTTP/")) {
    response_.headers = HttpHeaders();  // the answer after "100 Continue" or a proxy's own
    return;
  }
  if (trim(line).empty()) {
    end_header();
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) {
    return;
  }
  const std::string_view name = trim(line.substr(0, colon));
  if (name.size() != colon) {  // no field: curl does not take it for one, and others may
    if (is_framing_field(name)) {
      stop_unclear(fmt::format("'{}' is not followed by a colon", name));
    }
    return;
  }
  // printable(): a bare carriage return inside a value must not travel on into another request.
  response_.headers.add(
      printable(name, k_max_header_bytes),
      printable(trim(line.substr(colon + 1)), k_max_header_bytes));
}

void CurlTransfer::end_header() {
  long status = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
  constexpr long k_switching_protocols = 101;
  if (status == k_switching_protocols) {
    stopped_ = Stopped::switched_protocol;
  }
  if (status < 200) {
    return;  // the answer is yet to come
  }
  if (const auto problem = framing_problem(response_.headers);
      problem && request_.method != "HEAD") {
    stop_unclear(*problem);
    return;
  }
  if (status == 407 && settings_.may_use_proxy()) {
    stopped_ =
        Stopped::proxy_refused;  // its words may repeat the credentials: no answer for anyone
    return;
  }
  has_header_ = true;
  response_.status = static_cast<int>(status);
  const char* peer = nullptr;
  if (!settings_.may_use_proxy() &&
      curl_easy_getinfo(handle_.get(), CURLINFO_PRIMARY_IP, &peer) == CURLE_OK && peer != nullptr) {
    response_.peer_address = peer;
  }
  tell();
}

void CurlTransfer::stop_unclear(std::string problem) {
  stopped_ = Stopped::unclear_end;
  stopped_words_ = std::move(problem);
}

std::size_t CurlTransfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  const std::size_t bytes = size * count;
  if (transfer.mode_ == Mode::whole) {
    return transfer.gather(std::string_view(data, bytes)) ? bytes : 0;
  }
  if (transfer.body_.free() < bytes) {
    transfer.is_receiving_paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  transfer.body_.put(data, bytes);
  transfer.tell();
  return bytes;
}

bool CurlTransfer::gather(std::string_view bytes) {
  if (response_.body.size() + bytes.size() > request_.max_body_bytes) {
    stopped_ = Stopped::body_too_large;
    return false;
  }
  response_.body.append(bytes);
  return true;
}

std::size_t CurlTransfer::on_read(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  if (transfer.is_refusal()) {
    return CURL_READFUNC_PAUSE;  // curl stops sending itself when it has read the answer
  }
  const std::size_t taken = transfer.upload_.take(data, size * count);
  if (taken == 0 && !transfer.is_upload_ended_) {
    transfer.is_sending_paused_ = true;
    return CURL_READFUNC_PAUSE;
  }
  transfer.tell();
  return taken;
}

void CurlTransfer::resume() {
  const bool receives = is_receiving_paused_ && body_.size() <= ByteRing::k_capacity / 2;
  const bool sends =
      is_sending_paused_ && (!upload_.is_empty() || is_upload_ended_ || is_refusal());
  if (!receives && !sends) {
    return;
  }
  is_receiving_paused_ = is_receiving_paused_ && !receives;
  is_sending_paused_ = is_sending_paused_ && !sends;
  curl_easy_pause(
      handle_.get(),
      (is_receiving_paused_ ? CURLPAUSE_RECV : 0) | (is_sending_paused_ ? CURLPAUSE_SEND : 0));
}

std::uint64_t CurlTransfer::moved_bytes() const {
  curl_off_t sent = 0;
  curl_off_t received = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_SIZE_UPLOAD_T, &sent);
  curl_easy_getinfo(handle_.get(), CURLINFO_SIZE_DOWNLOAD_T, &received);
  return static_cast<std::uint64_t>(sent) + static_cast<std::uint64_t>(received) + header_bytes_;
}

bool CurlTransfer::is_sent() const {
  if (request_.body_stream != nullptr) {
    return is_upload_ended_ && upload_.is_empty();
  }
  curl_off_t sent = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_SIZE_UPLOAD_T, &sent);
  return static_cast<std::uint64_t>(sent) >= request_.body.size();
}

void CurlTransfer::tell() const {
  if (hear_) {
    hear_();
  }
}

curl_socket_t CurlTransfer::on_open(void* self, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  if (transfer.is_address_judged_) {  // every address that is dialled passes here
    const auto peer = to_address(address->addr);
    if (!peer || !transfer.settings_.egress().permits(*peer)) {
      return CURL_SOCKET_BAD;  // there may be another that is permitted
    }
    transfer.has_permitted_address_ = true;
  }
  if (transfer.request_.refuse_internal_peer &&
      !transfer.settings_.uses_proxy_for(transfer.url_.scheme)) {
    const auto peer = to_address(address->addr);
    if (!peer || is_internal_address(*peer)) {
      transfer.stopped_ = Stopped::internal_peer;
      transfer.stopped_words_ = peer ? peer->to_string() : "unknown";
      return CURL_SOCKET_BAD;
    }
  }
  // Not inherited by the programs that builds start.
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

}  // namespace freshet::net
