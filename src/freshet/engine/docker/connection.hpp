// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"
#include "freshet/base/files.hpp"
#include "freshet/engine/docker/endpoint.hpp"

#include <boost/asio/generic/stream_protocol.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace freshet::engine {

class TlsTunnel;

/// A byte stream to the engine. Destroying it closes it.
///
/// Its calls throw boost::system::system_error: what a loss of the connection means depends on the
/// request, so the transport translates.
class Connection {
 public:
  using Socket = asio::generic::stream_protocol::socket;

  /// `tunnel` is what carries the bytes on when `socket` is one end of a socket pair; may be null.
  Connection(Socket socket, std::shared_ptr<TlsTunnel> tunnel);

  Awaitable<void> send(std::string_view bytes);
  /// Appends at least one byte to `unread()`; false when the peer has closed.
  Awaitable<bool> fill();
  /// As `fill`, but takes no byte off the socket that lies behind the first blank line (CRLFCRLF),
  /// counted from the start of `unread()`.
  Awaitable<bool> fill_head();
  /// What has been received and not been taken yet; take from its front.
  std::string& unread() { return unread_; }

  /// Whether an idle connection still is one: the peer has neither closed nor said anything.
  bool is_idle();
  /// What carries the bytes on; may be null.
  const std::shared_ptr<TlsTunnel>& tunnel() const { return tunnel_; }
  /// Gives up the descriptor: non-blocking, close-on-exec. What is in `unread()` is lost.
  UniqueFd release();

 private:
  Socket socket_;
  std::shared_ptr<TlsTunnel> tunnel_;
  std::string unread_;
};

/// Connects to `endpoint`. Throws: unavailable (nobody listens), forbidden (no right to the
/// socket), upstream_denied (TLS: not trusted), invalid_input (unusable certificate files).
Awaitable<std::unique_ptr<Connection>> connect(asio::any_io_executor executor, Endpoint endpoint);

}  // namespace freshet::engine
