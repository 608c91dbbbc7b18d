// SPDX-License-Identifier: Apache-2.0
// Connections that are kept for later requests, and what must not be done to those in use.
#include "freshet/net/testing/stream_fixture.hpp"

#include <boost/asio/use_future.hpp>

namespace freshet::net {
namespace {

using namespace std::chrono_literals;
using testing::k_mebibyte;
using testing::LoopbackServer;
using testing::pattern;
using Socket = LoopbackServer::Socket;
using Stream = std::unique_ptr<HttpStream>;
using KeptConnection = testing::StreamTest;

/// Answers each request with `body`; on its first connection the second one when `go` says so,
/// whether it was asked already or not, and says when the answer has begun to arrive.
Awaitable<void> answer_when_told(
    Socket socket, std::string body, std::shared_future<void> go, std::promise<void>* begun) {
  const std::string answer = testing::http_answer("200 OK", body);
  std::string rest;
  for (int request = 0;; ++request) {
    if (request == 1 && begun != nullptr) {
      go.wait();
      const std::size_t sent =
          co_await socket.async_write_some(asio::buffer(answer), asio::use_awaitable);
      begun->set_value();
      co_await asio::async_write(socket, asio::buffer(answer) + sent, asio::use_awaitable);
      co_await testing::read_header(socket, rest);
      continue;
    }
    co_await testing::read_header(socket, rest);
    co_await asio::async_write(socket, asio::buffer(answer), asio::use_awaitable);
  }
}

TEST_F(KeptConnection, stays_in_use_when_its_answer_came_at_once_whatever_other_requests_do) {
  const std::string body = pattern(3 * k_mebibyte);
  for (int steps = 0; steps < 12; ++steps) {
    std::promise<void> go;
    std::promise<void> begun;
    const auto told = go.get_future().share();
    int connections = 0;
    const LoopbackServer server([&](Socket socket) {
      return answer_when_told(std::move(socket), body, told, connections++ == 0 ? &begun : nullptr);
    });
    CurlHttpClient client(io_.get_executor());
    HttpRequest request;
    request.url = server.url();
    request.max_body_bytes = body.size();
    testing::run_on(io_, client.send(Ctx{}.within(30s), request));

    std::future<Stream> opening =
        asio::co_spawn(io_, client.open(Ctx{}.within(30s), request), asio::use_future);
    io_.restart();
    for (int step = 0; step < steps; ++step) {
      io_.poll_one();
    }
    go.set_value();
    begun.get_future().wait();
    ASSERT_TRUE(arrives(opening));
    const Stream stream = opening.get();
    testing::run_on(io_, client.send(Ctx{}.within(30s), request));

    EXPECT_TRUE(read_all(*stream) == body) << steps;
  }
}

/// Answers the first request when `go` says so.
Awaitable<void> answer_late(Socket socket, std::shared_future<void> go) {
  std::string rest;
  for (;;) {
    co_await testing::read_header(socket, rest);
    go.wait();
    const std::string answer = testing::http_answer("200 OK", "late");
    co_await asio::async_write(socket, asio::buffer(answer), asio::use_awaitable);
  }
}

TEST_F(KeptConnection, stays_in_use_then_when_a_transfer_ends_that_never_had_it) {
  const std::string body = pattern(3 * k_mebibyte);
  for (int steps = 0; steps < 10; ++steps) {
    std::promise<void> go;
    std::promise<void> begun;
    std::promise<void> end_other;
    const auto told = go.get_future().share();
    const auto ended = end_other.get_future().share();
    int connections = 0;
    const LoopbackServer server([&](Socket socket) {
      return answer_when_told(std::move(socket), body, told, connections++ == 0 ? &begun : nullptr);
    });
    const LoopbackServer other(
        [&](Socket socket) { return answer_late(std::move(socket), ended); });
    CurlHttpClient client(io_.get_executor());
    HttpRequest request;
    request.url = server.url();
    request.max_body_bytes = body.size();
    HttpRequest other_request;
    other_request.url = other.url();
    const auto send_other = [&] {
      return asio::co_spawn(io_, client.send(Ctx{}.within(30s), other_request), asio::use_future);
    };
    testing::run_on(io_, client.send(Ctx{}.within(30s), request));
    std::future<HttpResponse> waiting = send_other();  // takes the place of the one that has ended
    while (other.connections() == 0) {
      io_.restart();
      io_.poll();
    }

    std::future<Stream> opening =
        asio::co_spawn(io_, client.open(Ctx{}.within(30s), request), asio::use_future);
    for (int step = 0; step < steps; ++step) {
      io_.poll_one();
    }
    go.set_value();
    begun.get_future().wait();
    ASSERT_TRUE(arrives(opening));
    const Stream stream = opening.get();
    end_other.set_value();
    ASSERT_TRUE(arrives(waiting));
    std::future<HttpResponse> next = send_other();
    ASSERT_TRUE(arrives(next));

    EXPECT_TRUE(read_all(*stream) == body) << steps;
  }
}

}  // namespace
}  // namespace freshet::net
