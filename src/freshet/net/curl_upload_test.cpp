// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/curl_http_client.hpp"
#include "freshet/net/testing/loopback_server.hpp"
#include "freshet/net/testing/run.hpp"
#include "freshet/net/testing/scripted_http.hpp"

#include <boost/asio/error.hpp>
#include <gtest/gtest.h>

#include <future>

namespace freshet::net {
namespace {

using namespace std::chrono_literals;
using testing::LoopbackServer;
using testing::TextStream;
using Socket = LoopbackServer::Socket;
using Stream = std::unique_ptr<HttpStream>;

/// Gives so many bytes; an endless one never waits. `silent_after` waits for ever instead.
class Source final : public ByteStream {
 public:
  static constexpr std::uint64_t k_endless = std::numeric_limits<std::uint64_t>::max();
  explicit Source(std::uint64_t size, std::uint64_t silent_after = k_endless)
      : size_(size), silent_after_(silent_after) {}

  Awaitable<std::size_t> read(asio::mutable_buffer buffer) override {
    if (given_ >= silent_after_) {
      co_await freshet::detail::wait_until(Ctx::Clock::time_point::max());
    }
    const std::uint64_t end = std::min(size_, silent_after_);
    const std::size_t count = std::min<std::uint64_t>(buffer.size(), end - given_);
    char* to = static_cast<char*>(buffer.data());
    for (std::size_t i = 0; i < count; ++i) {
      to[i] = byte_at(given_ + i);
    }
    given_ += count;
    co_return count;
  }

  static char byte_at(std::uint64_t place) { return static_cast<char>(place * 31 + place / 251); }
  std::uint64_t given() const { return given_; }

 private:
  std::uint64_t size_;
  std::uint64_t silent_after_;
  std::uint64_t given_ = 0;
};

std::string content(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    text[i] = Source::byte_at(i);
  }
  return text;
}

/// What came over the wire after the header of each request.
struct Seen {
  std::vector<std::string> headers;
  std::string body;
};

std::string unchunk(std::string_view text) {
  std::string body;
  for (;;) {
    const std::size_t size = std::stoul(std::string(text.substr(0, text.find('\r'))), nullptr, 16);
    if (size == 0) {
      return body;
    }
    text.remove_prefix(text.find('\n') + 1);
    body += text.substr(0, size);
    text.remove_prefix(size + 2);
  }
}

/// Takes bodies of both forms and answers 201.
Awaitable<void> take_uploads(Socket socket, Seen* seen) {
  std::string rest;
  std::string piece(64UL * 1024, '\0');
  for (;;) {
    const std::string header = co_await testing::read_header(socket, rest);
    seen->headers.push_back(header);
    const std::size_t at = header.find("Content-Length: ");
    const std::size_t length = at == std::string::npos ? 0 : std::stoul(header.substr(at + 16));
    while (at == std::string::npos ? !rest.ends_with("\r\n0\r\n\r\n") : rest.size() < length) {
      const std::size_t count =
          co_await socket.async_read_some(asio::buffer(piece), asio::use_awaitable);
      rest.append(piece, 0, count);
    }
    seen->body = at == std::string::npos ? unchunk(rest) : rest;
    rest.clear();
    const std::string answer = testing::http_answer("201 Created", "");
    co_await asio::async_write(socket, asio::buffer(answer), asio::use_awaitable);
  }
}

class CurlUploadTest : public ::testing::Test {
 protected:
  static HttpRequest put(
      std::string url, ByteStream& source, std::optional<std::uint64_t> length = std::nullopt) {
    HttpRequest request;
    request.method = "PUT";
    request.url = std::move(url);
    request.body_stream = &source;
    request.body_stream_length = length;
    return request;
  }
  Stream open(HttpRequest request, Ctx::Clock::duration limit = 30s) {
    return testing::run_on(io_, client_.open(Ctx{}.within(limit), std::move(request)));
  }
  HttpResponse send(HttpRequest request) {
    return testing::run_on(io_, client_.send(Ctx{}.within(30s), std::move(request)));
  }
  Error failure_of(HttpRequest request) {
    try {
      open(std::move(request));
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "there was an answer";
    return Error(ErrorCode::internal, "none");
  }

  asio::io_context io_;
  CurlHttpClient client_{io_.get_executor()};
};

TEST_F(CurlUploadTest, sends_a_known_length_as_it_is) {
  Seen seen;
  const LoopbackServer server(
      [&](Socket socket) { return take_uploads(std::move(socket), &seen); });
  const std::size_t size = 5'000'011;
  Source source(size);

  EXPECT_EQ(open(put(server.url("/b"), source, size))->head().status, 201);

  EXPECT_TRUE(seen.body == content(size));
  EXPECT_EQ(
      seen.headers.at(0),
      "PUT /b HTTP/1.1\r\nHost: " + server.authority() +
          "\r\nUser-Agent: freshet/" FRESHET_VERSION
          "\r\nAccept: */*\r\nContent-Length: 5000011\r\n\r\n");
}

TEST_F(CurlUploadTest, sends_an_unknown_length_in_chunks) {
  Seen seen;
  const LoopbackServer server(
      [&](Socket socket) { return take_uploads(std::move(socket), &seen); });
  const std::size_t size = 3'000'017;
  Source source(size);
  HttpRequest request = put(server.url("/b"), source);
  request.method = "PATCH";

  EXPECT_EQ(send(request).status, 201);

  EXPECT_TRUE(seen.body == content(size));
  EXPECT_EQ(
      seen.headers.at(0),
      "PATCH /b HTTP/1.1\r\nHost: " + server.authority() +
          "\r\nUser-Agent: freshet/" FRESHET_VERSION
          "\r\nAccept: */*\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST_F(CurlUploadTest, sends_small_pieces_and_empty_bodies_on_one_connection) {
  Seen seen;
  const LoopbackServer server(
      [&](Socket socket) { return take_uploads(std::move(socket), &seen); });
  for (const std::size_t size : {0, 1, 70'000}) {
    TextStream source(content(size), 999);
    EXPECT_EQ(send(put(server.url(), source, size)).status, 201);
    EXPECT_TRUE(seen.body == content(size)) << size;
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(CurlUploadTest, passes_on_what_the_source_throws_and_closes_the_connection) {
  Seen seen;
  const LoopbackServer server(
      [&](Socket socket) { return take_uploads(std::move(socket), &seen); });
  TextStream good("x");
  send(put(server.url(), good, 1));
  TextStream bad(
      std::string(300'000, 'x'),
      50'000,
      TransportError(TransportProblem::closed, ErrorCode::unavailable, "the source broke"));

  EXPECT_EQ(failure_of(put(server.url(), bad, 400'000)).message(), "the source broke");

  TextStream next("y");
  send(put(server.url(), next, 1));
  EXPECT_EQ(seen.body, "y");
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(CurlUploadTest, never_completes_a_body_whose_source_fails_at_its_end) {
  Seen seen;
  const LoopbackServer server(
      [&](Socket socket) { return take_uploads(std::move(socket), &seen); });
  TextStream bad(
      std::string(300'000, 'x'),
      50'000,
      TransportError(TransportProblem::other, ErrorCode::corrupt_data, "not its digest"));

  EXPECT_EQ(failure_of(put(server.url(), bad, 300'000)).message(), "not its digest");
  EXPECT_EQ(seen.body, "");
}

TEST_F(CurlUploadTest, refuses_a_source_that_is_not_of_the_announced_length) {
  Seen seen;
  const LoopbackServer server(
      [&](Socket socket) { return take_uploads(std::move(socket), &seen); });
  TextStream longer("123456");
  EXPECT_EQ(
      failure_of(put(server.url(), longer, 5)).message(),
      "the content to send to '" + server.authority() +
          "' is longer than the 5 bytes that were announced");
  TextStream shorter("1234");
  const Error error = failure_of(put(server.url(), shorter, 5));
  EXPECT_EQ(
      error.message(),
      "the content to send to '" + server.authority() +
          "' is shorter than the 5 bytes that were announced");
  EXPECT_EQ(error.code(), ErrorCode::corrupt_data);
  EXPECT_EQ(seen.body, "");
}

/// Answers as soon as the header is there, reads no more and, if told so, closes at once.
Awaitable<void> refuse_early(Socket socket, std::string more_headers, bool closes) {
  std::string rest;
  co_await testing::read_header(socket, rest);
  const std::string answer = testing::http_answer("401 Unauthorized", "who are you", more_headers);
  co_await asio::async_write(socket, asio::buffer(answer), asio::use_awaitable);
  if (!closes) {
    co_await testing::wait_for_close(socket);
  }
}

TEST_F(CurlUploadTest, takes_an_early_refusal_for_the_answer) {
  for (const bool is_announced : {false, true}) {
    for (const std::uint64_t silent_after : {Source::k_endless, std::uint64_t{100'000}}) {
      const LoopbackServer server([=](Socket socket) {
        return refuse_early(
            std::move(socket), is_announced ? "Connection: close\r\n" : "", is_announced);
      });
      Source source(Source::k_endless, silent_after);

      const Stream stream = open(put(server.url(), source));

      EXPECT_EQ(stream->head().status, 401);
      EXPECT_EQ(testing::run_on(io_, stream->read_all(1000)), "who are you");
    }
  }
}

TEST_F(CurlUploadTest, does_not_use_the_connection_of_an_early_refusal_again) {
  const LoopbackServer server(
      [](Socket socket) { return refuse_early(std::move(socket), "", false); });
  for (int i = 0; i < 3; ++i) {
    Source source(100'000'000);
    EXPECT_EQ(send(put(server.url(), source, 100'000'000)).body, "who are you");
    EXPECT_LT(source.given(), 100'000'000U);
  }
  EXPECT_EQ(server.connections(), 3);
}

Awaitable<void> reset_after(Socket socket, std::size_t bytes) {
  std::string rest;
  co_await testing::read_header(socket, rest);
  std::string scratch(bytes, '\0');
  co_await asio::async_read(socket, asio::buffer(scratch), asio::use_awaitable);
  socket.set_option(asio::socket_base::linger(true, 0));
}

TEST_F(CurlUploadTest, says_that_the_connection_was_lost_in_the_middle) {
  const LoopbackServer server(
      [](Socket socket) { return reset_after(std::move(socket), 1'000'000); });
  for (const std::uint64_t silent_after : {Source::k_endless, std::uint64_t{3'000'000}}) {
    Source source(Source::k_endless, silent_after);
    EXPECT_EQ(
        failure_of(put(server.url(), source)).message(),
        "'" + server.authority() + "' closed the connection before its answer was complete");
  }
}

Awaitable<void> take_nothing(Socket socket, std::promise<void>* left) {
  std::string rest;
  co_await testing::read_header(socket, rest);
  boost::system::error_code ended;
  co_await socket.async_wait(Socket::wait_error, asio::redirect_error(asio::use_awaitable, ended));
  left->set_value();
}

TEST_F(CurlUploadTest, gives_up_when_nothing_is_taken) {
  std::promise<void> left;
  const LoopbackServer server(
      [&](Socket socket) { return take_nothing(std::move(socket), &left); });
  Source source(Source::k_endless);
  HttpRequest request = put(server.url(), source);
  request.stall_limit = 1s;
  EXPECT_EQ(
      failure_of(request).message(),
      "'" + server.authority() + "' neither sent nor took a byte for 1 s");
  EXPECT_LT(source.given(), 30'000'000U);  // what the buffers of the kernel hold
}

TEST_F(CurlUploadTest, takes_a_source_that_waits_for_no_stall) {
  Seen seen;
  const LoopbackServer server(
      [&](Socket socket) { return take_uploads(std::move(socket), &seen); });
  Source source(100, 50);
  HttpRequest request = put(server.url(), source, 100);
  request.stall_limit = 1s;
  try {
    open(request, 1800ms);
    FAIL() << "there was an answer";
  } catch (const TransportError& error) {
    EXPECT_EQ(error.message(), "'" + server.authority() + "' did not answer in time");
  }
}

TEST_F(CurlUploadTest, cancelling_ends_source_and_transfer) {
  for (const std::uint64_t silent_after : {Source::k_endless, std::uint64_t{100'000}}) {
    std::promise<void> left;
    const LoopbackServer server([&](Socket socket) -> Awaitable<void> {
      std::string rest;
      co_await testing::read_header(socket, rest);
      co_await testing::wait_for_close(socket);
      left.set_value();
    });
    auto source = std::make_unique<Source>(Source::k_endless, silent_after);
    asio::cancellation_signal cancel;
    std::exception_ptr outcome;
    bool is_done = false;
    asio::co_spawn(
        io_,
        client_.open(Ctx{}, put(server.url(), *source)),
        asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr failure, Stream) {
          outcome = failure;
          is_done = true;
          source.reset();  // nothing may read it any more
        }));
    io_.restart();
    while (source->given() < 100'000 && io_.run_one() > 0) {
    }

    cancel.emit(asio::cancellation_type::all);
    while (!is_done && io_.run_one() > 0) {
    }
    io_.run_for(50ms);

    EXPECT_EQ(left.get_future().wait_for(10s), std::future_status::ready);
    ASSERT_NE(outcome, nullptr);
    EXPECT_THROW(std::rethrow_exception(outcome), boost::system::system_error);
  }
}

}  // namespace
}  // namespace freshet::net
