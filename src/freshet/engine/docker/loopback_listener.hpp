// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <functional>

namespace freshet::engine {

/// A port of 127.0.0.1 at which this process is a registry for an engine on the same machine.
///
/// Other users of the machine can reach it too: what is served has to be found by a name that only
/// the engine was told.
class LoopbackListener {
 public:
  using Work = std::function<Awaitable<void>(asio::ip::tcp::socket socket)>;

  /// `receive_bytes`: what the system may keep for a connection before it is read; 0: its default.
  /// Throws unavailable when no port can be had.
  explicit LoopbackListener(asio::any_io_executor executor, int receive_bytes = 0);

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  /// Gives connections to `work` until it is cancelled or `work` throws. That a connection broke
  /// (boost::system::system_error) ends that one alone.
  Awaitable<void> serve(Work work);

 private:
  Awaitable<void> accept_all(const Work& work);

  asio::ip::tcp::acceptor acceptor_;
};

}  // namespace freshet::engine
