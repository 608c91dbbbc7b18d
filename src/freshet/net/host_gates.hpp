// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/host_limits.hpp"

#include <boost/asio/strand.hpp>

#include <map>
#include <string>

namespace freshet::net {

/// Where the requests of a `LimitedHttpClient` wait for their turn, host by host.
class HostGates {
 public:
  enum class Kind { whole, stream, upload };
  class Turn;

  HostGates(const asio::any_io_executor& executor, LimitedHttpClient::Time time)
      : strand_(asio::make_strand(executor)), time_(std::move(time)) {}

  /// Waits until a request to the host of `url` may be sent. A URL that is none need not wait.
  static Awaitable<Turn> take_turn(
      std::shared_ptr<HostGates> self, Ctx ctx, std::string url, Kind kind);

 private:
  /// Requests of one kind, waiting and under way.
  struct Queue {
    explicit Queue(const asio::strand<asio::any_io_executor>& strand)
        : changed(strand, asio::steady_timer::time_point::max()) {}
    asio::steady_timer changed;  // its waiters are those who wait for a turn, oldest first
    int in_flight = 0;
  };
  struct Host {
    explicit Host(const asio::strand<asio::any_io_executor>& strand)
        : queues{Queue(strand), Queue(strand), Queue(strand)} {}
    HostLimit limit;
    Queue queues[3];
  };

  static Awaitable<Turn> enter(
      std::shared_ptr<HostGates> self, Ctx ctx, std::string authority, Kind kind);
  Host& host_at(const std::string& authority);
  /// Wakes the next one when there is a turn for it.
  static void wake_next(Host& host, Kind kind);
  static bool has_turn(const Host& host, Kind kind);

  asio::strand<asio::any_io_executor> strand_;
  LimitedHttpClient::Time time_;
  std::map<std::string, Host> hosts_;
};

/// Counts as one request in flight for as long as it lives.
class HostGates::Turn {
 public:
  /// Counts as nothing.
  Turn() = default;
  Turn(std::shared_ptr<HostGates> gates, std::string authority, Kind kind, std::uint64_t number)
      : gates_(std::move(gates)), authority_(std::move(authority)), kind_(kind), number_(number) {}
  Turn(Turn&&) noexcept = default;
  Turn& operator=(Turn&& other) noexcept {
    end();
    gates_ = std::move(other.gates_);
    authority_ = std::move(other.authority_);
    kind_ = other.kind_;
    number_ = other.number_;
    return *this;
  }
  ~Turn() { end(); }

  void learn(const HttpResponse& answer) const;
  void learn(const TransportError& failure) const;
  void end();

 private:
  /// Runs `work` with the host where it may be touched.
  template <class Work>
  void with_host(Work work) const;

  std::shared_ptr<HostGates> gates_;  // null: counts no more
  std::string authority_;
  Kind kind_ = Kind::whole;
  std::uint64_t number_ = 0;
};

}  // namespace freshet::net
