// SPDX-License-Identifier: Apache-2.0
// Connections that are handed on as bare descriptors.
#include "freshet/engine/docker/client.hpp"
#include "freshet/engine/testing/failure.hpp"
#include "freshet/engine/testing/fake_engine.hpp"
#include "freshet/engine/testing/run.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>

namespace freshet::engine {
namespace {

using testing::failure_of;
using testing::FakeEngine;
using testing::raw;
using testing::reply;
using testing::run;

const std::string k_head =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";

std::string take(int fd) {
  std::array<char, 4096> bytes;
  const ssize_t count = ::recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
  return count < 0 ? std::string() : std::string(bytes.data(), static_cast<std::size_t>(count));
}

TEST(UpgradeToH2c, leaves_every_byte_behind_the_head_in_the_socket) {
  // The head in two pieces cut at each place, and bytes right behind it in the second one.
  for (std::size_t cut = 1; cut <= k_head.size(); ++cut) {
    asio::io_context io;
    FakeEngine engine(
        io.get_executor(),
        {raw("POST /grpc", {k_head.substr(0, cut), k_head.substr(cut) + "SETTINGS\r\n\r\n"})
             .and_stay()});
    DockerClient client(io.get_executor(), engine.endpoint());

    const std::optional<UniqueFd> fd = run(io, client.upgrade_to_h2c(Ctx(), "/grpc"));

    ASSERT_TRUE(fd);
    io.poll();  // lets the fake send its second piece where that was not part of the head
    EXPECT_EQ(take(fd->get()), "SETTINGS\r\n\r\n") << cut;
    EXPECT_NE(::fcntl(fd->get(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(::fcntl(fd->get(), F_GETFD) & FD_CLOEXEC, 0);
  }
}

TEST(UpgradeToH2c, sends_the_request_and_nothing_else) {
  asio::io_context io;
  FakeEngine engine(io.get_executor(), {raw("POST /grpc", {k_head}).and_stay()});
  DockerClient client(io.get_executor(), engine.endpoint());
  const std::optional<UniqueFd> fd = run(io, client.upgrade_to_h2c(Ctx(), "/grpc"));
  EXPECT_EQ(
      engine.messages(),
      std::vector<std::string>{
          "POST /grpc HTTP/1.1\r\nHost: localhost\r\nUser-Agent: freshet/" FRESHET_VERSION
          "\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"});
  ASSERT_EQ(::send(fd->get(), "PRI", 3, 0), 3);
  io.poll();
  EXPECT_EQ(engine.collected(), "PRI");
}

TEST(UpgradeToH2c, a_missing_path_is_no_failure_and_a_refusal_is_one) {
  asio::io_context io;
  FakeEngine engine(
      io.get_executor(),
      {reply("POST /grpc", 404, R"({"message":"page not found"})"),
       reply("POST /grpc", 500, R"({"message":"no upgrade proto in request"})"),
       raw("POST /grpc", {"HTTP/1.1 101 Swi"}).and_close()});
  DockerClient client(io.get_executor(), engine.endpoint());
  EXPECT_FALSE(run(io, client.upgrade_to_h2c(Ctx(), "/grpc")));
  EXPECT_EQ(
      failure_of([&] { run(io, client.upgrade_to_h2c(Ctx(), "/grpc")); }),
      "upstream_denied: the Docker engine could not upgrade a connection to /grpc | said: no "
      "upgrade proto in "
      "request");
  EXPECT_EQ(
      failure_of([&] { run(io, client.upgrade_to_h2c(Ctx(), "/grpc")); }),
      "unavailable: the Docker engine went away");
}

TEST(ConnectRaw, gives_a_connection_that_nobody_has_used) {
  asio::io_context io;
  FakeEngine engine(io.get_executor(), {reply("GET /x", 200, "y")});
  DockerClient client(io.get_executor(), engine.endpoint());
  const UniqueFd fd = run(io, client.connect_raw(Ctx()));
  const std::string request = "GET /x HTTP/1.1\r\n\r\n";
  ASSERT_EQ(
      ::send(fd.get(), request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
  io.poll();
  EXPECT_EQ(take(fd.get()), "HTTP/1.1 200 Status\r\nContent-Length: 1\r\n\r\ny");
}

}  // namespace
}  // namespace freshet::engine
