// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/testing/fake_engine.hpp"

#include "freshet/base/text.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace freshet::engine::testing {
namespace {

using Protocol = asio::local::stream_protocol;

fs::path make_directory() {
  std::string name = (fs::temp_directory_path() / "fake-engine-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw Error(ErrorCode::internal, "no directory for the fake engine");
  }
  return name;
}

std::size_t content_length(std::string_view head) {
  const std::string lower = to_lower(head);
  constexpr std::string_view k_name = "\r\ncontent-length: ";
  const std::size_t at = lower.find(k_name);
  return at == std::string::npos ? 0 : std::stoul(lower.substr(at + k_name.size()));
}

/// Waits until the peer has taken everything off its socket.
Awaitable<void> drain(Protocol::socket& socket) {
  int unread = 1;
  while (socket.is_open() && ::ioctl(socket.native_handle(), SIOCOUTQ, &unread) == 0 &&
         unread > 0) {
    co_await asio::post(socket.get_executor(), asio::use_awaitable);
  }
}

}  // namespace

Scripted Scripted::and_close() && {
  then = Then::close;
  return std::move(*this);
}

Scripted Scripted::and_stay() && {
  then = Then::stay;
  return std::move(*this);
}

Scripted reply(std::string request, unsigned status, std::string body, std::string headers) {
  std::string message = fmt::format(
      "HTTP/1.1 {} Status\r\n{}Content-Length: {}\r\n\r\n{}", status, headers, body.size(), body);
  return raw(std::move(request), {std::move(message)});
}

Scripted chunked(std::string request, std::vector<std::string> pieces) {
  Scripted scripted;
  scripted.request = std::move(request);
  scripted.pieces.emplace_back("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (const std::string& piece : pieces) {
    scripted.pieces.push_back(fmt::format("{:x}\r\n{}\r\n", piece.size(), piece));
  }
  scripted.pieces.emplace_back("0\r\n\r\n");
  return scripted;
}

Scripted raw(std::string request, std::vector<std::string> pieces) {
  Scripted scripted;
  scripted.request = std::move(request);
  scripted.pieces = std::move(pieces);
  return scripted;
}

Scripted ping(std::string api_version) {
  return reply(
      "GET /_ping",
      200,
      "OK",
      fmt::format("Api-Version: {}\r\nBuilder-Version: 2\r\n", api_version));
}

class FakeEngine::State : public std::enable_shared_from_this<State> {
 public:
  State(asio::any_io_executor executor, std::vector<Scripted> script)
      : directory(make_directory()),
        script_(std::move(script)),
        acceptor_(executor, Protocol::endpoint((directory / "docker.sock").string())) {}

  ~State() { remove_tree(directory); }

  void start() {
    const auto keep = [self = shared_from_this()](const std::exception_ptr&) {};
    asio::co_spawn(acceptor_.get_executor(), accept(), keep);
  }

  void stop() {
    acceptor_.close();
    fs::remove(directory / "docker.sock");
    for (const auto& socket : sockets_) {
      boost::system::error_code ignored;
      socket->close(ignored);
    }
  }

  bool is_finished() const { return script_.empty(); }

  const fs::path directory;
  std::vector<std::string> requests;
  std::vector<std::string> messages;
  std::string collected;
  int connections = 0;

 private:
  Awaitable<void> accept() {
    for (;;) {
      auto socket =
          std::make_shared<Protocol::socket>(co_await acceptor_.async_accept(asio::use_awaitable));
      ++connections;
      sockets_.push_back(socket);
      const auto keep = [self = shared_from_this()](const std::exception_ptr&) {};
      asio::co_spawn(acceptor_.get_executor(), serve(socket), keep);
    }
  }

  Awaitable<void> serve(std::shared_ptr<Protocol::socket> socket) {
    std::string buffer;
    for (;;) {
      const std::size_t head = co_await asio::async_read_until(
          *socket, asio::dynamic_buffer(buffer), "\r\n\r\n", asio::use_awaitable);
      const std::size_t size = head + content_length(buffer.substr(0, head));
      if (buffer.size() < size) {
        co_await asio::async_read(
            *socket,
            asio::dynamic_buffer(buffer),
            asio::transfer_exactly(size - buffer.size()),
            asio::use_awaitable);
      }
      const Scripted answer = take_answer(buffer.substr(0, size));
      buffer.erase(0, size);
      for (const std::string& piece : answer.pieces) {
        co_await asio::async_write(*socket, asio::buffer(piece), asio::use_awaitable);
        if (&piece != &answer.pieces.back()) {
          co_await drain(*socket);
        }
      }
      if (answer.then == Scripted::Then::close) {
        socket->close();
        co_return;
      }
      while (answer.then == Scripted::Then::stay) {
        std::array<char, 4096> bytes;
        const std::size_t count =
            co_await socket->async_read_some(asio::buffer(bytes), asio::use_awaitable);
        collected.append(bytes.data(), count);
      }
    }
  }

  Scripted take_answer(std::string message) {
    std::string request = message.substr(0, message.find(" HTTP/1.1\r\n"));
    const auto found = std::find_if(script_.begin(), script_.end(), [&](const Scripted& scripted) {
      return scripted.request == request;
    });
    requests.push_back(request);
    messages.push_back(std::move(message));
    if (found == script_.end()) {
      std::string expected;
      for (const Scripted& scripted : script_) {
        expected += "\n  " + scripted.request;
      }
      ADD_FAILURE() << "unscripted request: " << request << "\nstill expected:" << expected;
      return reply(request, 500, R"({"message":"unscripted"})");
    }
    Scripted answer = std::move(*found);
    script_.erase(found);
    return answer;
  }

  std::vector<Scripted> script_;
  Protocol::acceptor acceptor_;
  std::vector<std::shared_ptr<Protocol::socket>> sockets_;
};

FakeEngine::FakeEngine(asio::any_io_executor executor, std::vector<Scripted> script)
    : state_(std::make_shared<State>(std::move(executor), std::move(script))) {
  state_->start();
}

FakeEngine::~FakeEngine() {
  state_->stop();
}

Endpoint FakeEngine::endpoint() const {
  Endpoint endpoint;
  endpoint.socket_path = state_->directory / "docker.sock";
  return endpoint;
}

const std::vector<std::string>& FakeEngine::requests() const {
  return state_->requests;
}

const std::vector<std::string>& FakeEngine::messages() const {
  return state_->messages;
}

const std::string& FakeEngine::collected() const {
  return state_->collected;
}

int FakeEngine::connections() const {
  return state_->connections;
}

bool FakeEngine::is_finished() const {
  return state_->is_finished();
}

void FakeEngine::stop() {
  state_->stop();
}

}  // namespace freshet::engine::testing
