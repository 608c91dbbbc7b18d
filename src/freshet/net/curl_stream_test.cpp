// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/testing/scripted_http.hpp"
#include "freshet/net/testing/stream_fixture.hpp"

#include <boost/asio/error.hpp>

namespace freshet::net {
namespace {

using namespace std::chrono_literals;
using testing::k_mebibyte;
using testing::LoopbackServer;
using testing::pattern;
using Socket = LoopbackServer::Socket;
using Stream = std::unique_ptr<HttpStream>;
using CurlStreamTest = testing::StreamTest;

/// Answers one GET with `text` as it is and closes.
Awaitable<void> answer_raw(Socket socket, std::string text) {
  std::string rest;
  co_await testing::read_header(socket, rest);
  co_await asio::async_write(socket, asio::buffer(text), asio::use_awaitable);
}

/// Answers with the header, with the rest when `go` says so, and notes when the other side left.
Awaitable<void> answer_in_two(
    Socket socket, std::string first, std::shared_future<void> go, std::promise<void>* left) {
  std::string rest;
  co_await testing::read_header(socket, rest);
  co_await asio::async_write(socket, asio::buffer(first), asio::use_awaitable);
  if (go.valid()) {
    go.wait();
    const std::string more = "body";
    co_await asio::async_write(socket, asio::buffer(more), asio::use_awaitable);
  }
  co_await testing::wait_for_close(socket);
  if (left != nullptr) {
    left->set_value();
  }
}

const char* const k_four_bytes = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-A: b\r\n\r\n";

TEST_F(CurlStreamTest, gives_the_header_before_the_body_is_there) {
  std::promise<void> go;
  const LoopbackServer server([future = go.get_future().share()](Socket socket) {
    return answer_in_two(std::move(socket), k_four_bytes, future, nullptr);
  });

  const Stream stream = open(server.url());

  EXPECT_EQ(stream->head().status, 200);
  EXPECT_EQ(stream->head().headers.find("x-a"), "b");
  EXPECT_EQ(stream->head().body, "");
  EXPECT_EQ(stream->head().peer_address, "127.0.0.1");
  go.set_value();
  EXPECT_EQ(read_all(*stream), "body");
}

TEST_F(CurlStreamTest, gives_a_large_body_byte_by_byte_as_it_was_sent) {
  const std::string body = pattern(9 * k_mebibyte + 7);
  const LoopbackServer server(testing::answering(
      [&body](const std::string&) { return testing::http_answer("200 OK", body); }));
  for (const std::size_t piece : {std::size_t{1} << 20U, std::size_t{65'537}, std::size_t{4099}}) {
    const Stream stream = open(server.url());
    std::string got;
    std::string buffer(piece, '\0');
    while (const std::size_t count =
               testing::run_on(io_, stream->read(asio::buffer(buffer.data(), piece)))) {
      got.append(buffer, 0, count);
    }
    EXPECT_TRUE(got == body) << piece;
  }
  EXPECT_EQ(server.connections(), 1);
}

Awaitable<void> pour(Socket socket, std::size_t size, std::atomic<std::size_t>* poured) {
  std::string rest;
  co_await testing::read_header(socket, rest);
  const std::string header = fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", size);
  co_await asio::async_write(socket, asio::buffer(header), asio::use_awaitable);
  const std::string piece(k_mebibyte, 'x');
  while (*poured < size) {
    co_await asio::async_write(socket, asio::buffer(piece), asio::use_awaitable);
    *poured += piece.size();
  }
}

TEST_F(CurlStreamTest, lets_the_sender_wait_for_the_reader) {
  const std::size_t size = 100 * k_mebibyte;
  std::atomic<std::size_t> poured = 0;
  const LoopbackServer server(
      [&](Socket socket) { return pour(std::move(socket), size, &poured); });
  const Stream stream = open(server.url());

  io_.restart();
  io_.run_for(300ms);  // nobody reads: only the buffers of the kernel and ours may fill

  EXPECT_LT(poured, 30 * k_mebibyte);
  EXPECT_EQ(read_all(*stream).size(), size);
}

TEST_F(CurlStreamTest, says_that_a_body_was_cut_short_after_giving_what_came) {
  for (const char* answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n"}) {
    const LoopbackServer server(
        [answer](Socket socket) { return answer_raw(std::move(socket), answer); });
    const Stream stream = open(server.url());
    std::string got(5, '\0');
    EXPECT_EQ(testing::run_on(io_, stream->read(asio::buffer(got))), 5U);
    EXPECT_EQ(got, "short");

    const TransportError error = failure_of([&] { read_all(*stream); });

    EXPECT_EQ(error.kind(), TransportProblem::closed);
    EXPECT_EQ(error.code(), ErrorCode::unavailable);
    EXPECT_EQ(
        error.message(),
        "'" + server.authority() + "' closed the connection before its answer was complete");
  }
}

TEST_F(CurlStreamTest, bounds_what_is_read_of_a_refusal) {
  const LoopbackServer server(testing::answering(
      [](const std::string&) { return testing::http_answer("404 Not Found", "0123456789"); }));
  const Stream stream = open(server.url());
  try {
    testing::run_on(io_, stream->read_all(9));
    FAIL() << "was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::too_large);
    EXPECT_EQ(error.message(), "the answer is longer than 9 bytes");
  }
}

TEST_F(CurlStreamTest, that_goes_unread_closes_its_connection) {
  std::promise<void> left;
  const LoopbackServer server(
      [&](Socket socket) { return answer_in_two(std::move(socket), k_four_bytes, {}, &left); });
  Stream stream = open(server.url());

  stream.reset();

  auto has_left = left.get_future();
  EXPECT_TRUE(arrives(has_left));
}

TEST_F(CurlStreamTest, may_outlive_its_client) {
  auto client = std::make_unique<CurlHttpClient>(io_.get_executor());
  const LoopbackServer server(testing::answering(
      [](const std::string&) { return testing::http_answer("200 OK", "body"); }));
  HttpRequest request;
  request.url = server.url();
  Stream stream = testing::run_on(io_, client->open(Ctx{}, request));

  client.reset();

  EXPECT_EQ(read_all(*stream), "body");
}

TEST_F(CurlStreamTest, gives_up_at_the_deadline_in_the_middle_of_a_body) {
  const LoopbackServer server(
      [](Socket socket) { return answer_in_two(std::move(socket), k_four_bytes, {}, nullptr); });
  HttpRequest request;
  request.url = server.url();
  const Stream stream = open(request, 200ms);

  const TransportError error = failure_of([&] { read_all(*stream); });

  EXPECT_EQ(error.kind(), TransportProblem::timed_out);
  EXPECT_EQ(error.message(), "the answer of '" + server.authority() + "' was not complete in time");
}

TEST_F(CurlStreamTest, gives_up_when_nothing_moves) {
  const LoopbackServer server(
      [](Socket socket) { return answer_in_two(std::move(socket), k_four_bytes, {}, nullptr); });
  HttpRequest request;
  request.url = server.url();
  request.stall_limit = 1s;
  const Stream stream = open(request);

  const TransportError error = failure_of([&] { read_all(*stream); });

  EXPECT_EQ(error.kind(), TransportProblem::timed_out);
  EXPECT_EQ(error.code(), ErrorCode::unavailable);  // there is time to try again
  EXPECT_EQ(error.message(), "'" + server.authority() + "' neither sent nor took a byte for 1 s");
}

TEST_F(CurlStreamTest, takes_a_reader_that_waits_for_no_stall) {
  const std::size_t size = 40 * k_mebibyte;
  std::atomic<std::size_t> poured = 0;
  const LoopbackServer server(
      [&](Socket socket) { return pour(std::move(socket), size, &poured); });
  HttpRequest request;
  request.url = server.url();
  request.stall_limit = 1s;
  const Stream stream = open(request);

  io_.restart();
  io_.run_for(1600ms);

  EXPECT_EQ(read_all(*stream).size(), size);
}

Awaitable<void> read_once(Stream stream) {
  char byte = 0;
  co_await stream->read(asio::buffer(&byte, 1));
}

TEST_F(CurlStreamTest, cancelling_a_read_ends_the_transfer) {
  std::promise<void> left;
  const LoopbackServer server(
      [&](Socket socket) { return answer_in_two(std::move(socket), k_four_bytes, {}, &left); });
  Stream stream = open(server.url());
  asio::cancellation_signal cancel;
  std::exception_ptr outcome;
  asio::co_spawn(
      io_,
      read_once(std::move(stream)),
      asio::bind_cancellation_slot(
          cancel.slot(), [&](std::exception_ptr failure) { outcome = failure; }));
  io_.restart();
  io_.run_for(20ms);
  ASSERT_EQ(outcome, nullptr);

  cancel.emit(asio::cancellation_type::all);

  auto has_left = left.get_future();
  EXPECT_TRUE(arrives(has_left));
  ASSERT_NE(outcome, nullptr);
  EXPECT_THROW(std::rethrow_exception(outcome), boost::system::system_error);
}

}  // namespace
}  // namespace freshet::net
