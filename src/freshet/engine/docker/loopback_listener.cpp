// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/loopback_listener.hpp"

#include "freshet/base/text.hpp"
#include "freshet/oci/copy/parallel.hpp"

#include <fmt/format.h>

namespace freshet::engine {
namespace {

using Tcp = asio::ip::tcp;

// An engine moves five layers at once, each in a connection of its own, and asks in further ones.
constexpr std::size_t k_connections = 16;

Awaitable<void> serve_one(Tcp::socket socket, const LoopbackListener::Work& work) {
  try {
    co_await work(std::move(socket));
  } catch (const boost::system::system_error& failure) {
    if (failure.code() == asio::error::operation_aborted) {
      throw;
    }
    // This connection is gone; what it was needed for, the engine tries again or tells.
  }
}

}  // namespace

LoopbackListener::LoopbackListener(asio::any_io_executor executor, int receive_bytes)
    : acceptor_(std::move(executor)) {
  try {
    const Tcp::endpoint loopback(asio::ip::address_v4::loopback(), 0);
    acceptor_.open(loopback.protocol());
    if (receive_bytes > 0) {
      // Connections inherit it.
      acceptor_.set_option(asio::socket_base::receive_buffer_size(receive_bytes));
    }
    acceptor_.bind(loopback);
    acceptor_.listen();
  } catch (const boost::system::system_error& failure) {
    throw Error(
        ErrorCode::unavailable,
        fmt::format("no port on loopback can be had: {}", to_lower(failure.code().message())));
  }
}

Awaitable<void> LoopbackListener::serve(Work work) {
  const auto accept = [&](std::size_t) { return accept_all(work); };
  co_await oci::for_each_at_once(k_connections, k_connections, accept);
}

Awaitable<void> LoopbackListener::accept_all(const Work& work) {
  for (;;) {
    Tcp::socket socket = co_await acceptor_.async_accept(asio::use_awaitable);
    co_await serve_one(std::move(socket), work);
  }
}

}  // namespace freshet::engine
