// SPDX-License-Identifier: Apache-2.0
// Answers that are made to be misread, or never to end.
#include "freshet/net/curl_http_client.hpp"
#include "freshet/net/testing/loopback_server.hpp"
#include "freshet/net/testing/run.hpp"

#include <curl/curl.h>
#include <gmock/gmock.h>

#include <future>
#include <memory>

namespace freshet::net {
namespace {

using namespace std::chrono_literals;
using testing::LoopbackServer;
using Socket = LoopbackServer::Socket;

struct FreeHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using CurlHandle = std::unique_ptr<CURL, FreeHandle>;

class HostileServer : public ::testing::Test {
 protected:
  /// How the answer to a GET of `server` reads: `status body`, else `code: message` of its failure,
  /// with SERVER in place of the server's address.
  std::string answer_of(const LoopbackServer& server, std::string target = "/") {
    HttpRequest request;
    request.url = server.url(target);
    return told(server, client_.send(Ctx{}.within(20s), request));
  }

  std::string told(const LoopbackServer& server, Awaitable<HttpResponse> sending) {
    try {
      const HttpResponse response = testing::run_on(io_, std::move(sending));
      return fmt::format("{} {}", response.status, response.body);
    } catch (const Error& error) {
      std::string text = fmt::format("{}: {}", to_string(error.code()), error.message());
      if (const auto at = text.find(server.authority()); at != std::string::npos) {
        text.replace(at, server.authority().size(), "SERVER");
      }
      return text;
    }
  }

  asio::io_context io_;
  CurlHttpClient client_{io_.get_executor()};
};

/// Answers one request with `answer` and lets the connection stand.
LoopbackServer::Session answering_with(std::string answer) {
  return testing::answering([answer](const std::string&) { return answer; });
}

std::string with_header(std::string_view lines, std::string_view body = "ok") {
  return fmt::format("HTTP/1.1 200 OK\r\n{}\r\n\r\n{}", lines, body);
}

const std::string k_stolen = with_header("Content-Length: 6", "stolen");

TEST_F(HostileServer, may_not_leave_open_where_its_answer_ends) {
  const std::string chunks = "2\r\nok\r\n0\r\n\r\n";
  const std::string cases[][2] = {
      {with_header("Content-Length: 2\r\nTransfer-Encoding: chunked", chunks),
       "its length is '2' and it is sent in chunks"},
      {with_header("Transfer-Encoding: chunked\r\nContent-Length: 2", chunks),
       "its length is '2' and it is sent in chunks"},
      {with_header("Content-Length: 2\r\nContent-Length: 5"), "its length is '2' and '5'"},
      {with_header("Content-Length: 2, 5"), "its length is '2, 5'"},
      {with_header("Content-Length: +2"), "its length is '+2'"},
      {with_header("Content-Length: 2x"), "its length is '2x'"},
      {with_header("Content-Length: 99999999999999999999"), "its length is '99999999999999999999'"},
      {with_header("Content-Length : 2"), "'Content-Length' is not followed by a colon"},
      {with_header("Transfer-Encoding: identity"), "its transfer encoding is 'identity'"},
      {with_header("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", chunks),
       "its transfer encoding is 'chunked, chunked'"},
  };
  for (const auto& [answer, problem] : cases) {
    const LoopbackServer server(answering_with(answer));
    EXPECT_EQ(
        answer_of(server),
        "corrupt_data: 'SERVER' sent an answer that does not clearly say where it ends: " + problem)
        << answer;
  }
  const LoopbackServer server(
      answering_with(with_header("Content-Length: 2\r\nContent-length: 2")));
  EXPECT_EQ(answer_of(server), "200 ok");  // twice the same is no matter
}

TEST_F(HostileServer, may_not_send_chunks_of_impossible_sizes) {
  for (const char* chunks :
       {"-2\r\nok\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nok\r\n0\r\n\r\n",
        "2\r\nok!!\r\n0\r\n\r\n",
        "\r\n\r\n"}) {
    const LoopbackServer server(answering_with(with_header("Transfer-Encoding: chunked", chunks)));
    EXPECT_EQ(answer_of(server), "unavailable: 'SERVER' sent an answer in malformed chunks")
        << chunks;
  }
}

TEST_F(HostileServer, may_not_switch_to_another_protocol) {
  const LoopbackServer server(answering_with(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n" + with_header("Content-Length: 2")));
  EXPECT_EQ(
      answer_of(server),
      "corrupt_data: 'SERVER' wants to speak another protocol (HTTP 101), which nobody asked for");
}

TEST_F(HostileServer, may_not_put_off_its_answer_for_ever) {
  std::string flood;
  for (int i = 0; i < 5000; ++i) {
    flood += "HTTP/1.1 102 Processing\r\n\r\n";
  }
  const LoopbackServer server(answering_with(flood + with_header("Content-Length: 2")));
  EXPECT_EQ(
      answer_of(server),
      "too_large: the header of the answer of 'SERVER' is longer than 65536 bytes");
}

/// Answers a connection's first request with `answer`, sends `k_stolen` after it, and says so.
Awaitable<void> answer_twice(Socket socket, std::string answer, std::promise<void>* sent) {
  std::string rest;
  co_await testing::read_header(socket, rest);
  co_await asio::async_write(socket, asio::buffer(answer), asio::use_awaitable);
  socket.set_option(asio::ip::tcp::no_delay(true));
  co_await asio::async_write(socket, asio::buffer(k_stolen), asio::use_awaitable);
  sent->set_value();
  co_await testing::read_header(socket, rest);
  const std::string fresh = with_header("Content-Length: 5", "fresh");
  co_await asio::async_write(socket, asio::buffer(fresh), asio::use_awaitable);
  co_await testing::wait_for_close(socket);
}

TEST_F(HostileServer, gets_no_answer_taken_for_that_of_the_next_request) {
  for (const std::string answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"}) {
    for (const std::string& ahead : {std::string(), k_stolen}) {
      std::promise<void> sent[2];
      int connections = 0;
      const LoopbackServer server([&](Socket socket) {
        return answer_twice(std::move(socket), answer + ahead, &sent[connections++]);
      });
      const std::string first = answer_of(server);
      sent[0].get_future().wait();

      // On another connection, or on this one with nothing left of what was sent ahead.
      EXPECT_THAT(answer_of(server), ::testing::AnyOf(first, "200 fresh")) << answer;
    }
  }
}

/// Answers two requests, sends `k_stolen` after that, and says so.
Awaitable<void> answer_thrice(Socket socket, std::promise<void>* sent) {
  const std::string answer = with_header("Content-Length: 5", "fresh");
  std::string rest;
  for (int i = 0; i < 2; ++i) {
    co_await testing::read_header(socket, rest);
    co_await asio::async_write(socket, asio::buffer(answer), asio::use_awaitable);
  }
  socket.set_option(asio::ip::tcp::no_delay(true));
  co_await sleep_for(5ms);  // on its own, not along with the answer
  co_await asio::async_write(socket, asio::buffer(k_stolen), asio::use_awaitable);
  sent->set_value();
  co_await testing::wait_for_close(socket);
}

TEST_F(HostileServer, gets_none_taken_either_behind_an_answer_that_came_at_once) {
  for (int round = 0; round < 20; ++round) {
    std::promise<void> sent[2];
    int connections = 0;
    const LoopbackServer server(
        [&](Socket socket) { return answer_thrice(std::move(socket), &sent[connections++]); });
    EXPECT_EQ(answer_of(server), "200 fresh");
    const CurlHandle neighbour(curl_easy_init());  // so that the next one is at another address
    EXPECT_EQ(answer_of(server), "200 fresh");
    sent[0].get_future().wait();

    EXPECT_EQ(answer_of(server), "200 fresh") << round;
  }
}

/// Answers with `start`, then `drop` again and again, `pause` between them.
Awaitable<void> dribble(
    Socket socket, std::string start, std::string drop, Ctx::Clock::duration pause) {
  std::string rest;
  co_await testing::read_header(socket, rest);
  co_await asio::async_write(socket, asio::buffer(start), asio::use_awaitable);
  for (;;) {
    co_await sleep_for(pause);
    co_await asio::async_write(socket, asio::buffer(drop), asio::use_awaitable);
  }
}

std::string without_numbers(std::string text) {
  const std::size_t at = text.find("too slow: ");
  return at == std::string::npos ? text : text.substr(0, at + 8);
}

TEST_F(HostileServer, may_not_dribble_a_short_answer) {
  for (const char* start :
       {"HTTP/1.1 200 OK\r\nX-Filler: ", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"}) {
    // Fast enough to pass for a stream, and never done.
    const LoopbackServer server([&](Socket socket) {
      return dribble(std::move(socket), start, std::string(8, 'x'), 10ms);
    });
    HttpRequest request;
    request.url = server.url();
    request.slow_limit = 400ms;
    EXPECT_EQ(
        without_numbers(told(server, client_.send(Ctx{}.within(20s), request))),
        "unavailable: 'SERVER' is too slow")
        << start;
  }
}

Awaitable<HttpResponse> open_and_read(HttpClient& client, HttpRequest request) {
  const Ctx ctx = Ctx{}.within(20s);
  const auto stream = co_await client.open(ctx, std::move(request));
  HttpResponse response = stream->head();
  response.body = co_await stream->read_all(1UL << 20U);
  response.body = std::to_string(response.body.size());
  co_return response;
}

TEST_F(HostileServer, may_not_dribble_a_stream) {
  for (const char* start :
       {"HTTP/1.1 200 OK\r\nX-Filler: ", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"}) {
    const LoopbackServer server(
        [&](Socket socket) { return dribble(std::move(socket), start, "x", 50ms); });
    HttpRequest request;
    request.url = server.url();
    request.slow_limit = 400ms;
    EXPECT_EQ(
        without_numbers(told(server, open_and_read(client_, request))),
        "unavailable: 'SERVER' is too slow")
        << start;
  }
}

TEST_F(HostileServer, is_none_that_streams_slowly_but_steadily) {
  const LoopbackServer server([](Socket socket) {
    const std::string start = "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n";
    return dribble(std::move(socket), start, std::string(20, 'x'), 10ms);
  });
  HttpRequest request;
  request.url = server.url();
  request.slow_limit = 200ms;
  EXPECT_EQ(told(server, open_and_read(client_, request)), "200 2000");
}

}  // namespace
}  // namespace freshet::net
