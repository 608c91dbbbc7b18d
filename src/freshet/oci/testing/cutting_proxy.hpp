// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/testing/loopback_server.hpp"

#include <boost/asio/redirect_error.hpp>

#include <array>
#include <atomic>
#include <deque>
#include <memory>
#include <string>

namespace freshet::oci::testing {

/// Passes TCP on to a server and cuts the connection that carries a byte of a given number.
class CuttingProxy {
 public:
  /// The numbers count all bytes of one direction, over all connections, and ascend.
  struct Cuts {
    std::deque<std::size_t> to_server;
    std::deque<std::size_t> to_client;
  };

  CuttingProxy(std::string server, Cuts cuts)
      : plan_(std::make_shared<Plan>(std::move(server), std::move(cuts))),
        listener_([plan = plan_](Socket client) { return serve(plan, std::move(client)); }) {}

  std::string authority() const { return listener_.authority(); }
  int cuts_done() const { return plan_->done; }

 private:
  using Socket = asio::ip::tcp::socket;

  struct Plan {
    Plan(std::string authority, Cuts planned)
        : server(std::move(authority)), cuts(std::move(planned)) {}

    std::string server;
    Cuts cuts;
    std::size_t to_server = 0;
    std::size_t to_client = 0;
    std::atomic<int> done = 0;
  };

  static Awaitable<void> serve(std::shared_ptr<Plan> plan, Socket accepted) {
    const auto client = std::make_shared<Socket>(std::move(accepted));
    const auto server = std::make_shared<Socket>(client->get_executor());
    const std::size_t colon = plan->server.find(':');
    const asio::ip::tcp::endpoint there(
        asio::ip::make_address(plan->server.substr(0, colon)),
        static_cast<unsigned short>(std::stoi(plan->server.substr(colon + 1))));
    co_await server->async_connect(there, asio::use_awaitable);
    asio::co_spawn(
        client->get_executor(), pass(plan, server, client, false), [](std::exception_ptr) {});
    co_await pass(plan, client, server, true);
  }

  static Awaitable<void> pass(
      std::shared_ptr<Plan> plan,
      std::shared_ptr<Socket> from,
      std::shared_ptr<Socket> to,
      bool is_to_server) {
    std::size_t& passed = is_to_server ? plan->to_server : plan->to_client;
    std::deque<std::size_t>& cuts = is_to_server ? plan->cuts.to_server : plan->cuts.to_client;
    std::array<char, 65536> buffer;
    boost::system::error_code failure;
    for (;;) {
      const std::size_t count = co_await from->async_read_some(
          asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, failure));
      passed += count;
      const bool is_cut = !cuts.empty() && passed >= cuts.front();
      if (is_cut) {
        cuts.pop_front();
        ++plan->done;
      }
      if (failure || is_cut) {
        break;
      }
      co_await asio::async_write(
          *to,
          asio::buffer(buffer.data(), count),
          asio::redirect_error(asio::use_awaitable, failure));
    }
    boost::system::error_code ignored;
    from->close(ignored);
    to->close(ignored);
  }

  std::shared_ptr<Plan> plan_;
  net::testing::LoopbackServer listener_;
};

}  // namespace freshet::oci::testing
