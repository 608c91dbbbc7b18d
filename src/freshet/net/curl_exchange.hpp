// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/curl_driver.hpp"
#include "freshet/net/curl_transfer.hpp"

#include <memory>
#include <optional>

namespace freshet::net {

/// One request and its answer under way in a `CurlDriver`. Everything but the constructor runs on
/// the strand of the driver; `end` comes before the last reference goes.
class CurlExchange final : public CurlDriver::Owner,
                           public std::enable_shared_from_this<CurlExchange> {
 public:
  CurlExchange(
      std::shared_ptr<CurlDriver> driver,
      std::shared_ptr<const CurlSettings> settings,
      Ctx ctx,
      HttpRequest request,
      CurlTransfer::Mode mode);
  ~CurlExchange();
  CurlExchange(const CurlExchange&) = delete;
  CurlExchange& operator=(const CurlExchange&) = delete;

  const asio::strand<asio::any_io_executor>& strand() const { return driver_->strand(); }
  const Url& url() const { return transfer_.url(); }

  /// Sends the request and gives the whole answer.
  static Awaitable<HttpResponse> run(std::shared_ptr<CurlExchange> self);
  /// Sends the request and gives the header of the answer, as soon as the body was sent or the
  /// answer is a refusal.
  static Awaitable<HttpResponse> start(std::shared_ptr<CurlExchange> self);
  /// As `ByteStream::read` of the body.
  static Awaitable<std::size_t> read(
      std::shared_ptr<CurlExchange> self, asio::mutable_buffer buffer);
  /// `count` bytes of the body to send are in the room that was given last (none at first), and
  /// maybe no more will come. Waits for room and gives it; empty when no more is wanted.
  static Awaitable<asio::mutable_buffer> offer(
      std::shared_ptr<CurlExchange> self, std::size_t count, bool is_end);
  /// Drops what is under way; nothing happens when it has ended already.
  void end(CURLcode code);

 private:
  void on_ended(CURLcode code) override { end(code); }
  void attach();
  void hear();
  bool is_answered() const;
  void watch_pace();
  void check_pace();
  bool is_stalled(Ctx::Clock::time_point now, std::uint64_t moved);
  bool is_too_slow(Ctx::Clock::time_point now, std::uint64_t moved);

  std::shared_ptr<CurlDriver> driver_;
  std::shared_ptr<const CurlSettings> settings_;
  CurlTransfer transfer_;
  bool is_attached_ = false;
  std::optional<CURLcode> code_;  // how it ended
  asio::steady_timer answer_changed_;
  asio::steady_timer room_changed_;
  asio::steady_timer watchdog_;
  /// So much had moved when.
  struct Mark {
    std::uint64_t bytes = 0;
    Ctx::Clock::time_point at;
  };
  Mark last_move_;
  Mark pace_;  // where it is measured from
  Mark sent_;  // when the request was sent, the answer was owed
};

}  // namespace freshet::net
