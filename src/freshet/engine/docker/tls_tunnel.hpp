// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"
#include "freshet/base/files.hpp"
#include "freshet/engine/docker/endpoint.hpp"

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/strand.hpp>

#include <memory>
#include <mutex>

namespace freshet::engine {

/// Carries bytes between a TLS connection and one end of a socket pair, so that everything above
/// has a plain descriptor: gRPC needs one, and the HTTP client then knows one kind of stream only.
///
/// It ends by itself when either side closes. It keeps itself alive until then; what owns it only
/// needs it to close it early and to ask why it ended.
class TlsTunnel : public std::enable_shared_from_this<TlsTunnel> {
 public:
  using Socket = asio::generic::stream_protocol::socket;

  /// Shakes hands over `outer` and starts to carry.
  static Awaitable<std::shared_ptr<TlsTunnel>> make(
      asio::any_io_executor executor, Endpoint endpoint, Socket outer);

  TlsTunnel(asio::any_io_executor executor, std::unique_ptr<asio::ssl::context> tls, Socket outer);

  /// The plain side; to be taken once.
  Socket take_inner_end(asio::any_io_executor executor);
  /// Ends it from any thread.
  void close();
  /// Why the TLS side ended; none while it runs and when it was closed in an orderly way.
  boost::system::error_code failure() const;

 private:
  /// Throws when the plain side ends, and returns when the TLS side takes no more.
  Awaitable<void> carry_out();
  Awaitable<void> carry_in();
  void close_now();
  void note(const boost::system::error_code& code);

  asio::strand<asio::any_io_executor> strand_;
  std::unique_ptr<asio::ssl::context> tls_;
  asio::ssl::stream<Socket> outer_;
  Socket inner_;
  UniqueFd inner_end_;

  mutable std::mutex failure_mutex_;
  boost::system::error_code failure_;
};

}  // namespace freshet::engine
