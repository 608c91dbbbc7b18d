// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/tls_tunnel.hpp"

#include "freshet/engine/docker/errors.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace freshet::engine {
namespace {

using boost::system::error_code;
namespace ssl = asio::ssl;

constexpr std::size_t k_piece_bytes = 32 * 1024;

void use_file(const fs::path& path, const error_code& code) {
  if (code) {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format(
            "cannot use '{}' to speak TLS with the Docker engine: {}",
            path.string(),
            code.message()));
  }
}

std::unique_ptr<ssl::context> make_tls(const Endpoint& endpoint) {
  auto tls = std::make_unique<ssl::context>(ssl::context::tls_client);
  tls->set_options(
      ssl::context::default_workarounds | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1);
  error_code code;
  if (endpoint.ca_file.empty()) {
    tls->set_default_verify_paths();
  } else {
    tls->load_verify_file(endpoint.ca_file.string(), code);
    use_file(endpoint.ca_file, code);
  }
  if (!endpoint.certificate_file.empty()) {
    tls->use_certificate_chain_file(endpoint.certificate_file.string(), code);
    use_file(endpoint.certificate_file, code);
    tls->use_private_key_file(endpoint.key_file.string(), ssl::context::pem, code);
    use_file(endpoint.key_file, code);
  }
  tls->set_verify_mode(endpoint.skip_verify ? ssl::verify_none : ssl::verify_peer);
  return tls;
}

bool is_address(const std::string& host) {
  error_code code;
  asio::ip::make_address(host, code);
  return !code;
}

}  // namespace

Awaitable<std::shared_ptr<TlsTunnel>> TlsTunnel::make(
    asio::any_io_executor executor, Endpoint endpoint, Socket outer) {
  auto tunnel = std::make_shared<TlsTunnel>(executor, make_tls(endpoint), std::move(outer));
  if (!endpoint.skip_verify) {
    tunnel->outer_.set_verify_callback(ssl::host_name_verification(endpoint.host));
  }
  if (!is_address(endpoint.host)) {
    SSL_set_tlsext_host_name(tunnel->outer_.native_handle(), endpoint.host.c_str());
  }
  error_code code;
  co_await tunnel->outer_.async_handshake(
      ssl::stream_base::client, asio::redirect_error(asio::use_awaitable, code));
  if (code == asio::error::operation_aborted) {
    throw boost::system::system_error(code);
  }
  if (code) {
    throw tls_refused(endpoint, code);
  }
  // Detached for Asio, yet owned: each direction holds the tunnel, and the tunnel's end ends both.
  const auto done = [tunnel](const std::exception_ptr&) { tunnel->close_now(); };
  // An engine that refuses us says why and closes: what it said is read although writing fails.
  const auto done_unless_readable = [tunnel](const std::exception_ptr& inner_failure) {
    if (inner_failure) {
      tunnel->close_now();
    }
  };
  asio::co_spawn(tunnel->strand_, tunnel->carry_out(), done_unless_readable);
  asio::co_spawn(tunnel->strand_, tunnel->carry_in(), done);
  co_return tunnel;
}

TlsTunnel::TlsTunnel(
    asio::any_io_executor executor, std::unique_ptr<ssl::context> tls, Socket outer)
    : strand_(asio::make_strand(executor)),
      tls_(std::move(tls)),
      outer_(std::move(outer), *tls_),
      inner_(executor) {
  std::array<int, 2> ends;
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
    throw Error(
        ErrorCode::unavailable,
        fmt::format("no socket pair for the Docker engine: {}", std::strerror(errno)));
  }
  inner_.assign(asio::local::stream_protocol(), ends[0]);
  inner_end_ = UniqueFd(ends[1]);
}

TlsTunnel::Socket TlsTunnel::take_inner_end(asio::any_io_executor executor) {
  Socket socket(executor);
  socket.assign(asio::local::stream_protocol(), inner_end_.release());
  return socket;
}

void TlsTunnel::close() {
  asio::post(strand_, [self = shared_from_this()] { self->close_now(); });
}

error_code TlsTunnel::failure() const {
  const std::lock_guard lock(failure_mutex_);
  return failure_;
}

Awaitable<void> TlsTunnel::carry_out() {
  std::array<char, k_piece_bytes> piece;
  for (;;) {
    const std::size_t count =
        co_await inner_.async_read_some(asio::buffer(piece), asio::use_awaitable);
    error_code code;
    co_await asio::async_write(
        outer_, asio::buffer(piece, count), asio::redirect_error(asio::use_awaitable, code));
    if (code) {
      co_return;
    }
  }
}

Awaitable<void> TlsTunnel::carry_in() {
  std::array<char, k_piece_bytes> piece;
  for (;;) {
    error_code code;
    const std::size_t count = co_await outer_.async_read_some(
        asio::buffer(piece), asio::redirect_error(asio::use_awaitable, code));
    if (code) {
      note(code);
      co_return;
    }
    co_await asio::async_write(inner_, asio::buffer(piece, count), asio::use_awaitable);
  }
}

void TlsTunnel::close_now() {
  error_code ignored;
  outer_.next_layer().close(ignored);
  inner_.close(ignored);
}

void TlsTunnel::note(const error_code& code) {
  if (code == asio::error::eof || code == asio::error::operation_aborted ||
      code == asio::error::bad_descriptor) {
    return;
  }
  const std::lock_guard lock(failure_mutex_);
  failure_ = code;
}

}  // namespace freshet::engine
