// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/image_inbox.hpp"

#include "freshet/engine/testing/run.hpp"
#include "freshet/oci/digest.hpp"
#include "freshet/oci/layers/testing/memory_stream.hpp"

#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::run;
using ::testing::StartsWith;
using Tcp = asio::ip::tcp;

class Inbox : public ::testing::Test {
 protected:
  Inbox() {
    const ImageInbox::OnLayer on_layer =
        [this](std::shared_ptr<const SpooledBlob> blob) -> Awaitable<void> {
      blobs.push_back(std::move(blob));
      co_return;
    };
    asio::co_spawn(io, inbox.serve(on_layer), [](const std::exception_ptr&) {});
    const std::string name = inbox.name();
    EXPECT_THAT(name, StartsWith("127.0.0.1:"));
    port = static_cast<std::uint16_t>(std::stoi(name.substr(10)));
  }

  /// The head of the answer to a request in a connection of its own.
  Awaitable<std::string> ask(std::string request) {
    Tcp::socket socket(io);
    const Tcp::endpoint to(asio::ip::address_v4::loopback(), port);
    co_await socket.async_connect(to, asio::use_awaitable);
    co_await asio::async_write(socket, asio::buffer(request), asio::use_awaitable);
    std::string answer;
    co_await asio::async_read_until(
        socket, asio::dynamic_buffer(answer), "\r\n\r\n", asio::use_awaitable);
    co_return answer;
  }

  std::string answer(std::string_view line, std::string_view headers = "", std::string body = "") {
    return run(
        io,
        ask(fmt::format("{} HTTP/1.1\r\nHost: here\r\n{}\r\n{}", line, headers, std::move(body))));
  }

  std::string content_of(std::size_t index) {
    const auto stream = SpooledBlob::open(blobs.at(index));
    return run(io, oci::testing::read_all(*stream));
  }

  asio::io_context io;
  ImageInbox inbox{io.get_executor(), "some/where", 8, 16};
  std::uint16_t port = 0;
  std::vector<std::shared_ptr<const SpooledBlob>> blobs;
};

constexpr std::string_view k_chunked = "Transfer-Encoding: chunked\r\n";

TEST_F(Inbox, takes_a_layer_as_an_engine_sends_it) {
  const std::string digest = oci::Digest::of("layer").to_string();
  const std::string escaped = "sha256%3A" + digest.substr(7);
  EXPECT_THAT(answer("GET /v2/"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer("HEAD /v2/some/where/blobs/" + digest), StartsWith("HTTP/1.1 404"));

  EXPECT_THAT(
      answer("POST /v2/some/where/blobs/uploads/", "Content-Length: 0\r\n"),
      HasSubstr("Location: /v2/some/where/blobs/uploads/1\r\n"));
  EXPECT_THAT(
      answer("PATCH /v2/some/where/blobs/uploads/1", k_chunked, "2\r\nla\r\n3\r\nyer\r\n0\r\n\r\n"),
      HasSubstr("Range: 0-4\r\n"));
  EXPECT_THAT(
      answer("PUT /v2/some/where/blobs/uploads/1?digest=" + escaped, "Content-Length: 0\r\n"),
      StartsWith("HTTP/1.1 201"));

  ASSERT_EQ(blobs.size(), 1U);
  EXPECT_EQ(content_of(0), "layer");
  EXPECT_THAT(
      answer("HEAD /v2/some/where/blobs/" + digest),
      ::testing::AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("Content-Length: 5\r\n")));
}

TEST_F(Inbox, has_nothing_for_those_who_do_not_know_its_repository) {
  for (const std::string_view line :
       {"POST /v2/else/where/blobs/uploads/",
        "PUT /v2/some/where/manifests/1",
        "PATCH /v2/some/where/blobs/uploads/1",
        "GET /v2/some/where/tags/list"}) {
    EXPECT_THAT(answer(line, "Content-Length: 0\r\n"), StartsWith("HTTP/1.1 404")) << line;
  }
  EXPECT_TRUE(blobs.empty());
}

TEST_F(Inbox, lets_an_upload_wait_that_is_larger_than_all_that_is_wanted) {
  answer("POST /v2/some/where/blobs/uploads/", "Content-Length: 0\r\n");
  answer("POST /v2/some/where/blobs/uploads/", "Content-Length: 0\r\n");
  bool is_answered = false;
  const auto note = [&](const std::exception_ptr&, const std::string&) { is_answered = true; };
  asio::co_spawn(
      io,
      ask(fmt::format(
          "PATCH /v2/some/where/blobs/uploads/1 HTTP/1.1\r\n{}\r\n11\r\n{}\r\n0\r\n\r\n",
          k_chunked,
          std::string(17, 'x'))),
      note);
  answer("PATCH /v2/some/where/blobs/uploads/2", k_chunked, "1\r\nx\r\n0\r\n\r\n");
  answer("PUT /v2/some/where/blobs/uploads/2?digest=x", "Content-Length: 0\r\n");
  EXPECT_EQ(blobs.size(), 1U);
  EXPECT_FALSE(is_answered);
}

TEST_F(Inbox, hears_who_speaks_no_http_out_and_goes_on) {
  Tcp::socket socket(io);
  socket.connect(Tcp::endpoint(asio::ip::address_v4::loopback(), port));
  asio::write(socket, asio::buffer(std::string("\x16\x03\x01 client hello")));
  EXPECT_THAT(answer("GET /v2/"), StartsWith("HTTP/1.1 200"));
}

}  // namespace
}  // namespace freshet::engine
