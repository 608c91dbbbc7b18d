// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <functional>
#include <string>
#include <thread>

namespace freshet::net::testing {

/// A TCP server on 127.0.0.1, on a port that the system chose, with a thread of its own. Every
/// connection is handed to `session`; destroying the server drops whatever is under way.
class LoopbackServer {
 public:
  using Socket = asio::ip::tcp::socket;
  using Session = std::function<Awaitable<void>(Socket)>;

  explicit LoopbackServer(Session session)
      : acceptor_(io_, {asio::ip::address_v4::loopback(), 0}), session_(std::move(session)) {
    asio::co_spawn(io_, accept(), [](std::exception_ptr) {});
    thread_ = std::thread([this] { io_.run(); });
  }
  ~LoopbackServer() {
    io_.stop();
    thread_.join();
  }
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  std::string authority() const {
    return fmt::format("127.0.0.1:{}", acceptor_.local_endpoint().port());
  }
  std::string url(std::string_view target = "/") const {
    return fmt::format("http://{}{}", authority(), target);
  }
  /// Connections accepted so far.
  int connections() const { return connections_.load(); }

 private:
  Awaitable<void> accept() {
    for (;;) {
      Socket socket = co_await acceptor_.async_accept(asio::use_awaitable);
      ++connections_;
      asio::co_spawn(io_, session_(std::move(socket)), [](std::exception_ptr) {});
    }
  }

  asio::io_context io_;
  asio::ip::tcp::acceptor acceptor_;
  Session session_;
  std::atomic<int> connections_ = 0;
  std::thread thread_;
};

/// Reads up to the end of a request header and returns it; `rest` keeps what came after it.
inline Awaitable<std::string> read_header(asio::ip::tcp::socket& socket, std::string& rest) {
  auto buffer = asio::dynamic_buffer(rest);
  const std::size_t length =
      co_await asio::async_read_until(socket, buffer, "\r\n\r\n", asio::use_awaitable);
  std::string header = rest.substr(0, length);
  rest.erase(0, length);
  co_return header;
}

namespace detail {

inline Awaitable<void> answer_all(
    asio::ip::tcp::socket socket, std::function<std::string(std::string)> answer, bool keep_open) {
  std::string rest;
  do {
    const std::string header = co_await read_header(socket, rest);
    const std::string text = answer(header);
    co_await asio::async_write(socket, asio::buffer(text), asio::use_awaitable);
  } while (keep_open);
}

}  // namespace detail

/// Waits until the other side has closed, whatever it still sends.
inline Awaitable<void> wait_for_close(asio::ip::tcp::socket& socket) {
  std::string scratch(64UL * 1024, '\0');
  boost::system::error_code ended;
  while (!ended) {
    co_await socket.async_read_some(
        asio::buffer(scratch), asio::redirect_error(asio::use_awaitable, ended));
  }
}

/// Answers every request header by the raw text that `answer` makes of it, on one connection.
inline LoopbackServer::Session answering(std::function<std::string(std::string)> answer) {
  return [answer](asio::ip::tcp::socket socket) {
    return detail::answer_all(std::move(socket), answer, true);
  };
}

/// Answers one request and closes.
inline LoopbackServer::Session answering_once(std::string text) {
  return [text](asio::ip::tcp::socket socket) {
    return detail::answer_all(
        std::move(socket), [text](const std::string&) { return text; }, false);
  };
}

/// A complete HTTP/1.1 answer.
inline std::string http_answer(
    std::string_view status, std::string_view body, std::string_view more_headers = {}) {
  return fmt::format(
      "HTTP/1.1 {}\r\n{}Content-Length: {}\r\n\r\n{}", status, more_headers, body.size(), body);
}

}  // namespace freshet::net::testing
