// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/byte_ring.hpp"
#include "freshet/net/curl_settings.hpp"
#include "freshet/net/http.hpp"
#include "freshet/net/url.hpp"

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace freshet::net {

/// One request as a curl easy handle and the answer that gathers in it. Does not move: curl keeps
/// pointers into it. Not for several threads. Used by `CurlExchange` only.
class CurlTransfer {
 public:
  static constexpr std::size_t k_max_header_bytes = 64UL * 1024;
  /// Whether the body of the answer gathers in `HttpResponse::body` or flows through `body()`.
  enum class Mode { whole, stream };

  /// Throws invalid_input when the URL is none, deadline_exceeded when it has passed already.
  CurlTransfer(Ctx ctx, HttpRequest request, Mode mode, const CurlSettings& settings);
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  CURL* handle() const { return handle_.get(); }
  const HttpRequest& request() const { return request_; }
  const Url& url() const { return url_; }

  /// Called from inside curl when anything below has changed; must not call curl back.
  void on_change(std::function<void()> hear) { hear_ = std::move(hear); }

  /// Whether the header of the final answer is complete.
  bool has_header() const { return has_header_; }
  /// Whether it is an answer that makes sending the rest of the body pointless.
  bool is_refusal() const { return has_header_ && response_.status >= 300; }
  /// What came of the body and was not taken yet.
  ByteRing& body() { return body_; }
  /// What is to be sent of the body; `end_upload` says that no more will come.
  ByteRing& upload() { return upload_; }
  void end_upload() { is_upload_ended_ = true; }
  bool is_upload_ended() const { return is_upload_ended_; }

  /// Goes on where curl was told to wait and need not wait any more.
  void resume();
  /// Whether curl waits for us, so that silence is no fault of the other side.
  bool is_waiting_for_us() const { return is_receiving_paused_ || is_sending_paused_; }
  /// Bytes sent and received so far.
  std::uint64_t moved_bytes() const;
  /// Whether the request is on its way as a whole.
  bool is_sent() const;
  /// Whether what is missing is short: a whole answer, or the header of a streamed one.
  bool owes_short_answer() const { return is_sent() && (mode_ == Mode::whole || !has_header_); }
  /// The limit of silence was reached.
  void stall() { stopped_ = Stopped::stalled; }
  /// No more than `bytes` moved in `elapsed`.
  void give_up_slow(std::uint64_t bytes, Ctx::Clock::duration elapsed);

  /// What a transfer that curl ended with `code` comes to: a refusal of a streamed body is an
  /// answer even if the connection broke over it, since servers close on what they do not want to
  /// read.
  CURLcode settled(CURLcode code) const;
  /// The answer, once its header (in `whole` mode: all of it) is there. Its status stays.
  HttpResponse take_response() { return std::move(response_); }
  /// Throws what `HttpClient::send` promises for a `code` that is not CURLE_OK.
  [[noreturn]] void throw_failure(CURLcode code);

 private:
  struct HandleCleanup {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  };
  struct ListCleanup {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };
  enum class Stopped {
    no,
    header_too_large,
    body_too_large,
    unclear_end,
    switched_protocol,
    internal_peer,
    proxy_refused,
    stalled,
    too_slow,
  };

  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_read(char* data, std::size_t size, std::size_t count, void* self);
  static curl_socket_t on_open(void* self, curlsocktype purpose, curl_sockaddr* address);

  template <class Value>
  void set(CURLoption option, Value value);
  void set_up_connection(Ctx ctx);
  void apply_egress_policy();
  void set_up_request();
  void set_up_headers();
  void set_up_body();
  void append_header(const std::string& line);
  void take_header_line(std::string_view line);
  void end_header();
  void stop_unclear(std::string problem);
  bool gather(std::string_view bytes);
  [[noreturn]] void throw_stopped();
  bool has_no_peer(CURLcode code) const;
  [[noreturn]] void throw_egress_refusal() const;
  void tell() const;

  HttpRequest request_;
  Mode mode_;
  const CurlSettings& settings_;
  Url url_;
  Ctx::Clock::time_point deadline_ = Ctx::Clock::time_point::max();
  HttpResponse response_;
  bool has_header_ = false;
  std::size_t header_bytes_ = 0;
  ByteRing body_;
  ByteRing upload_;
  bool is_upload_ended_ = false;
  bool is_receiving_paused_ = false;
  bool is_sending_paused_ = false;
  std::function<void()> hear_;
  Stopped stopped_ = Stopped::no;
  bool has_proxy_ = false;  // known only where there is an egress policy
  bool is_address_judged_ = false;  // by that policy: the name is not permitted
  bool has_permitted_address_ = false;  // one at least was dialled
  std::string stopped_words_;  // what `stopped_` has to say besides
  std::array<char, CURL_ERROR_SIZE> words_{};  // curl's own account of the failure
  std::unique_ptr<curl_slist, ListCleanup> header_list_;
  std::unique_ptr<CURL, HandleCleanup> handle_;
};

}  // namespace freshet::net
