// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/http.hpp"

#include <chrono>
#include <functional>
#include <memory>

namespace freshet::net {

/// How much one host may be asked at once, and how often. It starts with a guess, grows by one each
/// time as many requests as it allows have gone well, and halves when the host says that it is too
/// much. From the first 429 on the requests are spaced out too: by what the host took in the second
/// before, then by half when that is still too much, closer again while it is not.
/// Pure: what time it is comes from outside.
class HostLimit {
 public:
  static constexpr double k_first = 8;
  static constexpr double k_most = 32;
  /// In requests a second. Hosts that take more are not spaced out.
  static constexpr double k_most_often = 100;
  static constexpr double k_least_often = 0.2;
  using Moment = Ctx::Clock::time_point;

  int allowed() const { return static_cast<int>(allowed_); }
  /// No request is to be sent before then.
  Moment paused_until() const { return std::max(paused_until_, next_at_); }

  /// A request is sent at `now`; gives its number, to be handed back with what became of it.
  std::uint64_t start(Moment now);
  /// The answer to request `number` came at `now`, which is `date` on the wall.
  void learn(
      std::uint64_t number,
      const HttpResponse& answer,
      Moment now,
      std::chrono::system_clock::time_point date);
  /// Request `number` took too long.
  void learn_timeout(std::uint64_t number);

 private:
  bool shrink(std::uint64_t number);
  void slow_down();
  void note_taken(Moment now);

  double allowed_ = k_first;
  Moment paused_until_ = Moment::min();
  std::uint64_t started_ = 0;
  std::uint64_t shrunk_at_ = 0;  // requests up to this one have had their effect
  std::optional<double> rate_;  // requests a second; absent: as often as they come
  Moment next_at_ = Moment::min();
  Moment second_began_ = Moment::min();
  int taken_ = 0;  // requests in the second that began then
};

/// Sends through another client, to each host only as many requests at once as its `HostLimit`
/// allows and none while the host asked to wait. It never sends anything twice.
///
/// A request counts until its body was read to the end or its stream is gone. Answers as streams
/// (`open`) and whole ones (`send`) are counted apart, and a request with `body_stream` waits for
/// no other request, because what it sends may come out of an answer that counts: otherwise copies
/// within one host could wait for each other for ever.
///
/// Throws beside what the other client throws: rate_limited when the host asked for a wait beyond
/// the deadline, deadline_exceeded when no turn came before it. May be used from any thread.
class LimitedHttpClient final : public HttpClient {
 public:
  /// Injected, so that tests need not wait.
  struct Time {
    std::function<Ctx::Clock::time_point()> now;
    std::function<std::chrono::system_clock::time_point()> date;
    std::function<Awaitable<void>(Ctx::Clock::time_point)> sleep_until;
    static Time real();
  };

  /// `client` is borrowed.
  LimitedHttpClient(
      const asio::any_io_executor& executor, HttpClient& client, Time time = Time::real());
  ~LimitedHttpClient() override;
  LimitedHttpClient(const LimitedHttpClient&) = delete;
  LimitedHttpClient& operator=(const LimitedHttpClient&) = delete;

  Awaitable<HttpResponse> send(Ctx ctx, HttpRequest request) override;
  Awaitable<std::unique_ptr<HttpStream>> open(Ctx ctx, HttpRequest request) override;

 private:
  HttpClient& client_;
  std::shared_ptr<class HostGates> gates_;
};

}  // namespace freshet::net
