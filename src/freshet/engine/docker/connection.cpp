// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/connection.hpp"

#include "freshet/engine/docker/errors.hpp"
#include "freshet/engine/docker/tls_tunnel.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace freshet::engine {
namespace {

using boost::system::error_code;

constexpr std::size_t k_read_bytes = 64 * 1024;
constexpr std::string_view k_blank_line = "\r\n\r\n";

/// Opened by hand, so that it is close-on-exec from its first moment on: other parts of the process
/// start programs at any time.
error_code open_socket(
    Connection::Socket& socket, const asio::generic::stream_protocol::endpoint& peer) {
  const int family = peer.protocol().family();
  UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.is_open()) {
    return error_code(errno, boost::system::system_category());
  }
  if (family != AF_UNIX) {
    const int on = 1;
    const int seconds_before_probe = 30;  // waiting for a container's end can be silent for hours
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    ::setsockopt(fd.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    ::setsockopt(
        fd.get(), IPPROTO_TCP, TCP_KEEPIDLE, &seconds_before_probe, sizeof(seconds_before_probe));
  }
  error_code code;
  socket.assign(peer.protocol(), fd.get(), code);
  if (!code) {
    fd.release();
  }
  return code;
}

Awaitable<error_code> connect_to(
    Connection::Socket& socket, asio::generic::stream_protocol::endpoint peer) {
  error_code code = open_socket(socket, peer);
  if (!code) {
    co_await socket.async_connect(peer, asio::redirect_error(asio::use_awaitable, code));
  }
  co_return code;
}

void throw_if_aborted(const error_code& code) {
  if (code == asio::error::operation_aborted) {
    throw boost::system::system_error(code);
  }
}

Awaitable<Connection::Socket> connect_unix(asio::any_io_executor executor, Endpoint endpoint) {
  const asio::local::stream_protocol::endpoint peer(endpoint.socket_path.string());
  for (;;) {
    Connection::Socket socket(executor);
    error_code code = co_await connect_to(socket, peer);
    throw_if_aborted(code);
    if (code) {
      throw no_engine(endpoint, code);
    }
    // A full backlog refuses with EAGAIN, which looks like a connect under way to the event loop.
    socket.remote_endpoint(code);
    if (code != asio::error::not_connected) {
      co_return socket;
    }
    co_await sleep_for(std::chrono::milliseconds(2));
  }
}

Awaitable<Connection::Socket> connect_tcp(asio::any_io_executor executor, Endpoint endpoint) {
  asio::ip::tcp::resolver resolver(executor);
  error_code code;
  const auto peers = co_await resolver.async_resolve(
      endpoint.host, endpoint.port, asio::redirect_error(asio::use_awaitable, code));
  throw_if_aborted(code);
  for (const auto& peer : peers) {
    Connection::Socket socket(executor);
    code = co_await connect_to(socket, peer.endpoint());
    throw_if_aborted(code);
    if (!code) {
      co_return socket;
    }
  }
  throw no_engine(
      endpoint, code ? code : asio::error::make_error_code(asio::error::host_not_found));
}

}  // namespace

Connection::Connection(Socket socket, std::shared_ptr<TlsTunnel> tunnel)
    : socket_(std::move(socket)), tunnel_(std::move(tunnel)) {}

Awaitable<void> Connection::send(std::string_view bytes) {
  co_await asio::async_write(socket_, asio::buffer(bytes), asio::use_awaitable);
}

Awaitable<bool> Connection::fill() {
  const std::size_t before = unread_.size();
  unread_.resize(before + k_read_bytes);
  error_code code;
  const std::size_t count = co_await socket_.async_read_some(
      asio::buffer(unread_.data() + before, k_read_bytes),
      asio::redirect_error(asio::use_awaitable, code));
  unread_.resize(before + (code ? 0 : count));
  if (code == asio::error::eof) {
    co_return false;
  }
  if (code) {
    throw boost::system::system_error(code);
  }
  co_return true;
}

Awaitable<bool> Connection::fill_head() {
  std::array<char, 4096> peeked;
  for (;;) {
    co_await socket_.async_wait(Socket::wait_read, asio::use_awaitable);
    const ssize_t count =
        ::recv(socket_.native_handle(), peeked.data(), peeked.size(), MSG_PEEK | MSG_DONTWAIT);
    if (count == 0) {
      co_return false;
    }
    if (count < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
        continue;
      }
      throw boost::system::system_error(errno, boost::system::system_category());
    }
    const std::size_t before = unread_.size();
    unread_.append(peeked.data(), static_cast<std::size_t>(count));
    // The blank line may have begun in what earlier calls took.
    const std::size_t from = before < k_blank_line.size() ? 0 : before - k_blank_line.size() + 1;
    const std::size_t blank_line = unread_.find(k_blank_line, from);
    if (blank_line != std::string::npos) {
      unread_.resize(blank_line + k_blank_line.size());
    }
    // These bytes are in the socket's queue, so that one call takes them all.
    const std::size_t wanted = unread_.size() - before;
    if (::recv(socket_.native_handle(), peeked.data(), wanted, MSG_DONTWAIT) !=
        static_cast<ssize_t>(wanted)) {
      throw boost::system::system_error(errno, boost::system::system_category());
    }
    co_return true;
  }
}

bool Connection::is_idle() {
  char byte = 0;
  const ssize_t count = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return unread_.empty() && count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

UniqueFd Connection::release() {
  UniqueFd fd(socket_.release());
  ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
  return fd;
}

Awaitable<std::unique_ptr<Connection>> connect(asio::any_io_executor executor, Endpoint endpoint) {
  if (endpoint.kind == Endpoint::Kind::unix_socket) {
    Connection::Socket socket = co_await connect_unix(executor, endpoint);
    co_return std::make_unique<Connection>(std::move(socket), nullptr);
  }
  Connection::Socket socket = co_await connect_tcp(executor, endpoint);
  if (endpoint.kind == Endpoint::Kind::tcp) {
    co_return std::make_unique<Connection>(std::move(socket), nullptr);
  }
  std::shared_ptr<TlsTunnel> tunnel =
      co_await TlsTunnel::make(executor, endpoint, std::move(socket));
  Connection::Socket inner = tunnel->take_inner_end(executor);
  co_return std::make_unique<Connection>(std::move(inner), std::move(tunnel));
}

}  // namespace freshet::engine
