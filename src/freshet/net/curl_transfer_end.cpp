// SPDX-License-Identifier: Apache-2.0
// What a transfer comes to that ended, or was ended.
#include "freshet/base/text.hpp"
#include "freshet/net/curl_failure.hpp"
#include "freshet/net/curl_transfer.hpp"

#include <fmt/format.h>

namespace freshet::net {
namespace {

/// curl bounds a header line itself (100 kB): before 8.6 it calls that lack of memory.
bool is_line_too_long(CURLcode code) {
  constexpr int k_curle_too_large = 100;  // not in the headers of older versions
  return code == CURLE_OUT_OF_MEMORY || static_cast<int>(code) == k_curle_too_large;
}

}  // namespace

void CurlTransfer::give_up_slow(std::uint64_t bytes, Ctx::Clock::duration elapsed) {
  using std::chrono::milliseconds;
  stopped_ = Stopped::too_slow;
  stopped_words_ = fmt::format(
      "{} in {}",
      human_size(bytes),
      human_duration(std::chrono::duration_cast<milliseconds>(elapsed)));
}

CURLcode CurlTransfer::settled(CURLcode code) const {
  if (code == CURLE_OK && !has_header_) {
    return CURLE_PARTIAL_FILE;  // curl takes a header that breaks off for one that ends
  }
  const bool was_sending = request_.body_stream != nullptr;
  const bool is_broken = code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR ||
                         code == CURLE_PARTIAL_FILE || code == CURLE_GOT_NOTHING;
  return is_refusal() && was_sending && is_broken ? CURLE_OK : code;
}

void CurlTransfer::throw_failure(CURLcode code) {
  if (is_line_too_long(code)) {
    stopped_ = Stopped::header_too_large;
  }
  if (stopped_ != Stopped::no) {
    throw_stopped();
  }
  const bool is_too_late = Ctx::Clock::now() >= deadline_;
  if (is_address_judged_ && !has_permitted_address_ && !is_too_late && has_no_peer(code)) {
    throw_egress_refusal();
  }
  throw_transport_error(CurlFailure{
      .code = code,
      .handle = handle_.get(),
      .url = url_,
      .words = printable(words_.data(), CURL_ERROR_SIZE),
      .has_header = has_header_,
      .has_own_authorities = settings_.has_own_authorities(),
      .may_use_proxy = settings_.may_use_proxy(),
      .is_too_late = is_too_late});
}

/// Whether no connection was found or made.
bool CurlTransfer::has_no_peer(CURLcode code) const {
  const char* peer = nullptr;
  curl_easy_getinfo(handle_.get(), CURLINFO_PRIMARY_IP, &peer);
  const bool is_silent = code == CURLE_OPERATION_TIMEDOUT && (peer == nullptr || *peer == '\0');
  return is_silent || code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY ||
         code == CURLE_COULDNT_CONNECT;
}

/// Always in the same words: whoever is forbidden to reach a host must not learn by trying whether
/// it has a name, an address or an open port.
void CurlTransfer::throw_egress_refusal() const {
  throw TransportError(
      TransportProblem::forbidden,
      ErrorCode::upstream_denied,
      fmt::format(
          "no connection to {}'{}': the administrator's egress policy permits none",
          has_proxy_ ? "the proxy on the way to " : "",
          url_.authority()),
      fmt::format(
          "{} says what may be reached; a name that does not resolve gets the same answer",
          settings_.egress().source()));
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
              stopped_words_));
    case Stopped::unclear_end:
      throw Error(
          ErrorCode::corrupt_data,
          fmt::format(
              "'{}' sent an answer that does not clearly say where it ends: {}",
              url_.authority(),
              stopped_words_));
    case Stopped::switched_protocol:
      throw Error(
          ErrorCode::corrupt_data,
          fmt::format(
              "'{}' wants to speak another protocol (HTTP 101), which nobody asked for",
              url_.authority()));
    case Stopped::proxy_refused:
      throw_proxy_refusal(url_, 407);
    case Stopped::stalled:
      throw TransportError(
          TransportProblem::timed_out,
          ErrorCode::unavailable,
          fmt::format(
              "'{}' neither sent nor took a byte for {} s",
              url_.authority(),
              request_.stall_limit.count()));
    case Stopped::too_slow:
      throw TransportError(
          TransportProblem::timed_out,
          ErrorCode::unavailable,
          fmt::format("'{}' is too slow: {}", url_.authority(), stopped_words_));
    default:
      throw Error(
          ErrorCode::too_large,
          fmt::format(
              "the answer of '{}' is longer than {} bytes",
              url_.authority(),
              request_.max_body_bytes));
  }
}

}  // namespace freshet::net
