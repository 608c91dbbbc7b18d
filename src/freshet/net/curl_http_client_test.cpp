// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/curl_http_client.hpp"

#include "freshet/net/testing/loopback_server.hpp"
#include "freshet/net/testing/run.hpp"

#include <boost/asio/error.hpp>
#include <gtest/gtest.h>

#include <future>

namespace freshet::net {
namespace {

using namespace std::chrono_literals;
using testing::answering;
using testing::answering_once;
using testing::http_answer;
using testing::LoopbackServer;
using Socket = LoopbackServer::Socket;

HttpRequest get(std::string url) {
  HttpRequest request;
  request.url = std::move(url);
  return request;
}

class CurlHttpClientTest : public ::testing::Test {
 protected:
  HttpResponse send(HttpRequest request, Ctx::Clock::duration limit = 30s) {
    return testing::run_on(io_, client_.send(Ctx{}.within(limit), std::move(request)));
  }

  /// The transport error that `request` ends in; its `kind()` and `message()` are for asserting.
  TransportError failure_of(HttpRequest request, Ctx::Clock::duration limit = 30s) {
    try {
      send(std::move(request), limit);
    } catch (const TransportError& error) {
      return error;
    }
    ADD_FAILURE() << "there was an answer";
    return TransportError(TransportProblem::other, ErrorCode::internal, "none");
  }

  Error refusal_of(HttpRequest request) {
    try {
      send(std::move(request));
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "there was an answer";
    return Error(ErrorCode::internal, "none");
  }

  asio::io_context io_;
  CurlHttpClient client_{io_.get_executor()};
};

TEST_F(CurlHttpClientTest, gives_status_headers_and_body) {
  const LoopbackServer server(answering([](const std::string&) {
    return http_answer("418 I'm a teapot", "short and stout", "X-One: 1\r\nX-Two:  a: b \r\n");
  }));

  const HttpResponse response = send(get(server.url()));

  EXPECT_EQ(response.status, 418);
  EXPECT_EQ(response.body, "short and stout");
  EXPECT_EQ(response.headers.find("x-one"), "1");
  EXPECT_EQ(response.headers.find("X-Two"), "a: b");
  EXPECT_EQ(response.peer_address, "127.0.0.1");
}

TEST_F(CurlHttpClientTest, sends_method_target_headers_and_body_as_given) {
  std::promise<std::string> seen;
  const LoopbackServer server([&seen](Socket socket) -> Awaitable<void> {
    std::string rest;
    std::string header = co_await testing::read_header(socket, rest);
    while (rest.size() < 5) {
      rest.resize(rest.size() + 1);
      co_await asio::async_read(socket, asio::buffer(&rest.back(), 1), asio::use_awaitable);
    }
    seen.set_value(header + rest);
    const std::string answer = http_answer("201 Created", "");
    co_await asio::async_write(socket, asio::buffer(answer), asio::use_awaitable);
  });
  HttpRequest request = get(server.url("/v2/a/../b?x=%2F"));
  request.method = "PUT";
  request.headers.add("Content-Type", "text/x");
  request.headers.add("Authorization", "Bearer t");
  request.body = "hello";

  EXPECT_EQ(send(request).status, 201);

  EXPECT_EQ(
      seen.get_future().get(),
      "PUT /v2/a/../b?x=%2F HTTP/1.1\r\nHost: " + server.authority() +
          "\r\nUser-Agent: freshet/" FRESHET_VERSION
          "\r\nAccept: */*\r\nContent-Type: text/x\r\n"
          "Authorization: Bearer t\r\nContent-Length: 5\r\n\r\nhello");
}

TEST_F(CurlHttpClientTest, sends_a_body_less_post_with_length_zero_and_no_form_type) {
  const LoopbackServer server(
      answering([](const std::string& header) { return http_answer("200 OK", header); }));
  HttpRequest request = get(server.url("/uploads/"));
  request.method = "POST";

  const std::string header = send(request).body;

  EXPECT_NE(header.find("POST /uploads/ HTTP/1.1\r\n"), std::string::npos) << header;
  EXPECT_NE(header.find("Content-Length: 0\r\n"), std::string::npos) << header;
  EXPECT_EQ(header.find("Content-Type"), std::string::npos) << header;
}

TEST_F(CurlHttpClientTest, answers_head_without_waiting_for_a_body) {
  const LoopbackServer server(answering([](const std::string&) {
    return std::string("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
  }));
  HttpRequest request = get(server.url());
  request.method = "HEAD";

  EXPECT_EQ(send(request).headers.find("content-length"), "100");
}

TEST_F(CurlHttpClientTest, never_follows_a_redirect) {
  const LoopbackServer server(answering([](const std::string&) {
    return http_answer("307 Temporary Redirect", "", "Location: http://192.0.2.1/\r\n");
  }));

  const HttpResponse response = send(get(server.url()));

  EXPECT_EQ(response.status, 307);
  EXPECT_EQ(response.headers.find("Location"), "http://192.0.2.1/");
}

TEST_F(CurlHttpClientTest, keeps_no_cookies) {
  const LoopbackServer server(answering([](const std::string& header) {
    return http_answer("200 OK", header, "Set-Cookie: session=1; Path=/\r\n");
  }));

  send(get(server.url()));
  EXPECT_EQ(send(get(server.url())).body.find("session"), std::string::npos);
}

TEST_F(CurlHttpClientTest, reuses_its_connection) {
  const LoopbackServer server(
      answering([](const std::string&) { return http_answer("200 OK", "x"); }));

  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(send(get(server.url())).body, "x");
  }

  EXPECT_EQ(server.connections(), 1);
}

TEST_F(CurlHttpClientTest, serves_many_requests_side_by_side) {
  const LoopbackServer server(answering([](const std::string& header) {
    return http_answer("200 OK", header.substr(0, header.find(" HTTP")));
  }));
  int answered = 0;
  for (int i = 0; i < 20; ++i) {
    const std::string target = fmt::format("/{}", i);
    asio::co_spawn(
        io_,
        client_.send(Ctx{}.within(30s), get(server.url(target))),
        [&answered, target](std::exception_ptr failure, HttpResponse response) {
          EXPECT_FALSE(failure);
          EXPECT_EQ(response.body, "GET " + target);
          ++answered;
        });
  }
  while (answered < 20 && io_.run_one() > 0) {
  }
  EXPECT_EQ(answered, 20);
}

TEST_F(CurlHttpClientTest, says_that_nothing_listens) {
  std::string url;
  std::string authority;
  {
    const LoopbackServer gone(answering_once(""));
    url = gone.url();
    authority = gone.authority();
  }
  const TransportError error = failure_of(get(url));
  EXPECT_EQ(error.kind(), TransportProblem::refused);
  EXPECT_EQ(error.code(), ErrorCode::unavailable);
  EXPECT_EQ(error.message(), "'" + authority + "' refused the connection");
}

TEST_F(CurlHttpClientTest, says_that_a_name_does_not_resolve) {
  const TransportError error = failure_of(get("https://registry.invalid/v2/"));
  EXPECT_EQ(error.kind(), TransportProblem::name_not_resolved);
  EXPECT_EQ(error.message(), "the name 'registry.invalid' does not resolve to an address");
}

TEST_F(CurlHttpClientTest, says_that_the_other_side_closed_too_early) {
  for (const char* answer : {"", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"}) {
    const LoopbackServer server(answering_once(answer));
    const TransportError error = failure_of(get(server.url()));
    EXPECT_EQ(error.kind(), TransportProblem::closed) << answer;
    EXPECT_EQ(
        error.message(),
        "'" + server.authority() + "' closed the connection before its answer was complete");
  }
}

TEST_F(CurlHttpClientTest, says_that_the_answer_is_not_http) {
  const LoopbackServer server(answering_once("220 mail.example ESMTP\r\n"));
  const TransportError error = failure_of(get(server.url()));
  EXPECT_EQ(error.kind(), TransportProblem::other);
  EXPECT_EQ(
      error.message(),
      "no answer from '" + server.authority() + "': Received HTTP/0.9 when not allowed");
}

Awaitable<void> stay_silent(Socket socket, std::promise<void>* reached, std::promise<void>* left) {
  std::string rest;
  co_await testing::read_header(socket, rest);
  reached->set_value();
  char byte = 0;
  boost::system::error_code ended;
  co_await asio::async_read(
      socket, asio::buffer(&byte, 1), asio::redirect_error(asio::use_awaitable, ended));
  left->set_value();
}

TEST_F(CurlHttpClientTest, gives_up_at_the_deadline) {
  std::promise<void> reached;
  std::promise<void> left;
  const LoopbackServer server(
      [&](Socket socket) { return stay_silent(std::move(socket), &reached, &left); });

  const TransportError error = failure_of(get(server.url()), 100ms);

  EXPECT_EQ(error.kind(), TransportProblem::timed_out);
  EXPECT_EQ(error.code(), ErrorCode::deadline_exceeded);
  EXPECT_EQ(error.message(), "'" + server.authority() + "' did not answer in time");
  EXPECT_EQ(left.get_future().wait_for(10s), std::future_status::ready);
}

TEST_F(CurlHttpClientTest, does_not_even_start_after_the_deadline) {
  const LoopbackServer server(answering_once(http_answer("200 OK", "")));
  EXPECT_EQ(failure_of(get(server.url()), -1s).code(), ErrorCode::deadline_exceeded);
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(CurlHttpClientTest, cancelling_aborts_the_transfer_and_closes_the_connection) {
  std::promise<void> reached;
  std::promise<void> left;
  const LoopbackServer server(
      [&](Socket socket) { return stay_silent(std::move(socket), &reached, &left); });
  asio::cancellation_signal cancel;
  std::exception_ptr outcome;
  bool is_done = false;
  asio::co_spawn(
      io_,
      client_.send(Ctx{}, get(server.url())),
      asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr failure, HttpResponse) {
        outcome = failure;
        is_done = true;
      }));
  auto arrived = reached.get_future();
  while (arrived.wait_for(0s) != std::future_status::ready) {
    io_.run_one_for(10ms);
  }

  cancel.emit(asio::cancellation_type::all);
  while (!is_done && io_.run_one() > 0) {
  }

  EXPECT_EQ(left.get_future().wait_for(10s), std::future_status::ready);
  try {
    std::rethrow_exception(outcome);
  } catch (const boost::system::system_error& error) {
    EXPECT_EQ(error.code(), asio::error::operation_aborted);
  }
}

TEST_F(CurlHttpClientTest, can_be_used_again_after_a_cancelled_transfer) {
  std::promise<void> reached;
  std::promise<void> left;
  const LoopbackServer silent(
      [&](Socket socket) { return stay_silent(std::move(socket), &reached, &left); });
  const LoopbackServer server(
      answering([](const std::string&) { return http_answer("200 OK", "x"); }));

  failure_of(get(silent.url()), 50ms);

  EXPECT_EQ(send(get(server.url())).body, "x");
}

TEST_F(CurlHttpClientTest, bounds_the_body) {
  const LoopbackServer server(
      answering([](const std::string&) { return http_answer("200 OK", std::string(2000, 'x')); }));
  HttpRequest request = get(server.url());
  request.max_body_bytes = 1000;

  const Error error = refusal_of(request);
  EXPECT_EQ(error.code(), ErrorCode::too_large);
  EXPECT_EQ(
      error.message(), "the answer of '" + server.authority() + "' is longer than 1000 bytes");

  request.max_body_bytes = 2000;
  EXPECT_EQ(send(request).body.size(), 2000U);
}

Awaitable<void> pour(Socket socket, std::string start, std::string drop) {
  std::string rest;
  co_await testing::read_header(socket, rest);
  co_await asio::async_write(socket, asio::buffer(start), asio::use_awaitable);
  for (;;) {
    co_await asio::async_write(socket, asio::buffer(drop), asio::use_awaitable);
  }
}

TEST_F(CurlHttpClientTest, stops_an_endless_body) {
  const LoopbackServer server([](Socket socket) {
    return pour(
        std::move(socket),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "3e8\r\n" + std::string(1000, 'x') + "\r\n");
  });
  EXPECT_EQ(refusal_of(get(server.url())).code(), ErrorCode::too_large);
}

TEST_F(CurlHttpClientTest, stops_a_flood_of_headers) {
  const LoopbackServer server([](Socket socket) {
    return pour(
        std::move(socket), "HTTP/1.1 200 OK\r\n", "X-Filler: " + std::string(500, 'x') + "\r\n");
  });
  const Error error = refusal_of(get(server.url()));
  EXPECT_EQ(error.code(), ErrorCode::too_large);
  EXPECT_EQ(
      error.message(),
      "the header of the answer of '" + server.authority() + "' is longer than 65536 bytes");
}

TEST_F(CurlHttpClientTest, stops_one_endless_header_line) {
  const LoopbackServer server([](Socket socket) {
    return pour(std::move(socket), "HTTP/1.1 200 OK\r\nX-Filler: ", std::string(500, 'x'));
  });
  EXPECT_EQ(refusal_of(get(server.url())).code(), ErrorCode::too_large);
}

TEST_F(CurlHttpClientTest, refuses_an_internal_peer_when_asked_to) {
  const LoopbackServer server(
      answering([](const std::string&) { return http_answer("200 OK", "x"); }));
  send(get(server.url()));  // leaves a connection that must not be reused
  HttpRequest request = get(server.url());
  request.refuse_internal_peer = true;

  const Error error = refusal_of(request);

  EXPECT_EQ(error.code(), ErrorCode::upstream_denied);
  EXPECT_EQ(
      error.message(),
      "no connection to '" + server.authority() +
          "': its name leads to the internal address 127.0.0.1");
}

TEST_F(CurlHttpClientTest, refuses_an_internal_peer_however_it_is_named) {
  const LoopbackServer server(
      answering([](const std::string&) { return http_answer("200 OK", "x"); }));
  const std::string port = server.authority().substr(server.authority().find(':'));
  for (const std::string host :
       {"localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "127.1", "0.0.0.0"}) {
    HttpRequest request = get("http://" + host + port + "/");
    request.refuse_internal_peer = true;
    EXPECT_EQ(refusal_of(request).code(), ErrorCode::upstream_denied) << host;
  }
}

TEST_F(CurlHttpClientTest, speaks_nothing_but_http) {
  const Error error = refusal_of(get("file:///etc/hostname"));
  EXPECT_EQ(error.code(), ErrorCode::invalid_input);
  EXPECT_EQ(error.message(), "'(malformed URL)' is not an http or https URL");
}

}  // namespace
}  // namespace freshet::net
