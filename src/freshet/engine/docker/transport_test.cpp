// SPDX-License-Identifier: Apache-2.0
// How the client speaks with an engine: versions, connections, and what can go wrong with them.
#include "freshet/engine/docker/client.hpp"
#include "freshet/engine/testing/failure.hpp"
#include "freshet/engine/testing/fake_engine.hpp"
#include "freshet/engine/testing/run.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace freshet::engine {
namespace {

using testing::chunked;
using testing::failure_of;
using testing::FakeEngine;
using testing::ping;
using testing::raw;
using testing::reply;
using testing::run;
using testing::Scripted;

/// A client and the engine it speaks with.
struct Session {
  explicit Session(std::vector<Scripted> script)
      : engine(io.get_executor(), std::move(script)),
        client(io.get_executor(), engine.endpoint()) {}

  std::string info_failure(Ctx ctx = {}) {
    return failure_of([&] { run(io, client.info(ctx)); });
  }
  std::string address() const { return engine.endpoint().to_string(); }

  asio::io_context io;
  FakeEngine engine;
  DockerClient client;
};

const std::string k_info =
    R"({"Name":"box","ID":"X:Y","Driver":"overlay2","DockerRootDir":"/var/lib/docker",
  "OperatingSystem":"Debian","MemTotal":1024,"Warnings":null})";

TEST(Version, one_ping_serves_all_calls_and_one_connection_too) {
  Session session(
      {ping("1.41"), reply("GET /v1.41/info", 200, k_info), reply("GET /v1.41/info", 200, k_info)});

  const EngineInfo info = run(session.io, session.client.info(Ctx()));
  run(session.io, session.client.info(Ctx()));

  EXPECT_EQ(info.name, "box");
  EXPECT_EQ(info.storage_driver, "overlay2");
  EXPECT_EQ(info.memory_bytes, 1024U);
  EXPECT_EQ(info.warnings, std::vector<std::string>());
  EXPECT_TRUE(session.engine.is_finished());
  EXPECT_EQ(session.engine.connections(), 1);
}

TEST(Version, the_newest_that_both_speak_is_used) {
  Session session({ping("1.58"), reply("GET /v1.55/info", 200, k_info)});
  run(session.io, session.client.info(Ctx()));
  EXPECT_TRUE(session.engine.is_finished());
}

TEST(Version, negotiation_tells_what_the_engine_is) {
  Session session(
      {ping("1.41"),
       reply(
           "GET /version",
           200,
           R"({"Version":"20.10.24","ApiVersion":"1.41","MinAPIVersion":"1.12",
             "Os":"linux","Arch":"amd64"})")});

  const EngineVersion version = run(session.io, session.client.negotiate(Ctx()));

  EXPECT_EQ(version.version, "20.10.24");
  EXPECT_EQ(version.api_version, "1.41");
  EXPECT_EQ(version.min_api_version, "1.12");
  EXPECT_EQ(version.os, "linux");
  EXPECT_EQ(version.architecture, "amd64");
  EXPECT_EQ(version.builder_version, "2");
}

TEST(Version, an_engine_that_is_too_old_is_named) {
  Session session({ping("1.39")});
  EXPECT_EQ(
      session.info_failure(),
      "unsupported: the Docker engine at " + session.address() +
          " speaks API 1.39, at least 1.40 is needed | hint: update the engine to Docker 19.03 or "
          "later");
}

TEST(Version, an_engine_that_is_too_new_is_named) {
  Session session(
      {ping("1.60"),
       reply(
           "GET /v1.55/info",
           400,
           R"({"message":"client version 1.55 is too old. )"
           R"(Minimum supported API version is 1.58, please upgrade"})"),
       reply(
           "GET /version",
           200,
           R"({"Version":"40.0","ApiVersion":"1.60","MinAPIVersion":"1.58"})")});
  const std::string expected = "unsupported: the Docker engine at " + session.address() +
                               " speaks API 1.58 and later, this program speaks up to 1.55 | hint: "
                               "install a newer version of this "
                               "program";

  EXPECT_EQ(session.info_failure(), expected);
  EXPECT_EQ(failure_of([&] { run(session.io, session.client.negotiate(Ctx())); }), expected);
}

TEST(Connecting, nobody_listens) {
  Session session({});
  session.engine.stop();
  EXPECT_EQ(
      session.info_failure(),
      "unavailable: no Docker engine at " + session.address() +
          " | hint: start it, or name another with --engine or DOCKER_HOST");
}

TEST(Connecting, a_tcp_port_that_is_closed_is_told_with_its_reason) {
  asio::io_context io;
  Endpoint endpoint;
  endpoint.kind = Endpoint::Kind::tcp;
  endpoint.host = "127.0.0.1";
  endpoint.port = "1";
  DockerClient client(io.get_executor(), endpoint);
  EXPECT_EQ(
      failure_of([&] { run(io, client.info(Ctx())); }),
      "unavailable: no Docker engine at tcp://127.0.0.1:1: connection refused | hint: start it, or "
      "name "
      "another with --engine or DOCKER_HOST");
}

TEST(Connecting, a_socket_without_permission_comes_with_the_command_that_mends_it) {
  if (::geteuid() == 0 && ::seteuid(65534) != 0) {
    GTEST_SKIP() << "root may open every socket";
  }
  std::string text;
  {
    Session session({});
    ::chmod(session.engine.endpoint().socket_path.c_str(), 0);
    text = session.info_failure();
    EXPECT_EQ(
        text,
        "forbidden: no permission to use the Docker engine at " + session.address() +
            " | hint: become a member of the group that owns the socket "
            "('sudo usermod -aG docker $USER'), then log in again");
  }
  if (::getuid() == 0) {
    ASSERT_EQ(::seteuid(0), 0);
  }
}

TEST(Connection, one_that_the_engine_closed_while_idle_is_replaced) {
  Session session({ping().and_close(), reply("POST /v1.41/containers/a/start", 204, "")});
  run(session.io, session.client.start_container(Ctx(), "a"));
  EXPECT_TRUE(session.engine.is_finished());
  EXPECT_EQ(session.engine.connections(), 2);
}

TEST(Connection, a_request_is_sent_again_when_a_reused_one_dies_without_an_answer) {
  Session session(
      {ping(),
       raw("POST /v1.41/containers/a/start", {}).and_close(),
       reply("POST /v1.41/containers/a/start", 204, "")});
  run(session.io, session.client.start_container(Ctx(), "a"));
  EXPECT_TRUE(session.engine.is_finished());
}

TEST(Connection, a_request_that_changes_something_is_not_repeated_once_an_answer_has_begun) {
  Session session({ping(), raw("POST /v1.41/containers/a/start", {"HTTP/1.1 2"}).and_close()});
  EXPECT_EQ(
      failure_of([&] { run(session.io, session.client.start_container(Ctx(), "a")); }),
      "unavailable: the Docker engine went away");
}

TEST(Connection, a_question_is_repeated_even_then_but_once) {
  Session session(
      {ping(),
       raw("GET /v1.41/info", {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"}).and_close(),
       raw("GET /v1.41/info", {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"}).and_close()});
  EXPECT_EQ(session.info_failure(), "unavailable: the Docker engine went away");
  EXPECT_TRUE(session.engine.is_finished());
}

TEST(Connection, is_not_reused_when_the_engine_says_so) {
  Session session(
      {ping(),
       reply("GET /v1.41/info", 200, k_info, "Connection: close\r\n").and_stay(),
       reply("GET /v1.41/info", 200, k_info)});
  run(session.io, session.client.info(Ctx()));
  run(session.io, session.client.info(Ctx()));
  EXPECT_EQ(session.engine.connections(), 2);
}

TEST(Answer, that_is_no_http_is_told) {
  Session session({raw("GET /_ping", {"SSH-2.0-OpenSSH_9.2\r\n"})});
  EXPECT_EQ(
      session.info_failure(),
      "corrupt_data: the answer from " + session.address() +
          " was malformed when asked to describe itself | hint: check that a Docker engine listens "
          "there");
}

TEST(Answer, of_some_other_server_is_told) {
  Session session({reply("GET /_ping", 200, "hello")});
  EXPECT_EQ(
      session.info_failure(),
      "corrupt_data: the answer from " + session.address() +
          " was malformed when asked to describe itself | hint: check that a Docker engine listens "
          "there");
}

TEST(Answer, that_is_no_json_is_told) {
  Session session({ping(), reply("GET /v1.41/info", 200, "<html>")});
  EXPECT_EQ(
      session.info_failure(),
      "corrupt_data: the answer from " + session.address() +
          " was malformed when asked to describe itself | hint: check that a Docker engine listens "
          "there");
}

TEST(Answer, of_another_shape_reads_as_empty) {
  Session session(
      {ping(), reply("GET /v1.41/info", 200, R"({"Name":7,"Warnings":{},"MemTotal":-1})")});
  const EngineInfo info = run(session.io, session.client.info(Ctx()));
  EXPECT_EQ(info.name, "");
  EXPECT_EQ(info.memory_bytes, 0U);
}

TEST(Answer, is_put_together_from_chunks) {
  Session session({ping(), chunked("GET /v1.41/info", {R"({"Na)", R"(me":"bo)", R"(x"})"})});
  EXPECT_EQ(run(session.io, session.client.info(Ctx())).name, "box");
}

TEST(Answer, without_end_is_cut_off) {
  std::vector<std::string> pieces(70, std::string(1024 * 1024, 'x'));
  Session session({ping(), chunked("GET /v1.41/info", std::move(pieces))});
  EXPECT_EQ(
      session.info_failure(),
      "too_large: the Docker engine's answer is larger than the limit of 67108864 bytes when asked "
      "to "
      "describe itself");
}

TEST(Answer, that_does_not_come_is_waited_for_until_the_deadline) {
  Session session({ping(), raw("GET /v1.41/info", {}).and_stay()});
  const Ctx soon = Ctx().within(std::chrono::milliseconds(20));
  EXPECT_EQ(
      session.info_failure(soon),
      "deadline_exceeded: waiting for the Docker engine to describe itself took too long");
}

Awaitable<bool> cancel_when_asked(Session& session) {
  using namespace asio::experimental::awaitable_operators;
  const auto until_asked = [](const FakeEngine& engine) -> Awaitable<void> {
    while (!engine.is_finished()) {
      co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    }
  };
  const auto outcome = co_await (session.client.info(Ctx()) || until_asked(session.engine));
  co_return outcome.index() == 1;
}

TEST(Answer, that_is_still_awaited_can_be_cancelled_and_leaves_no_connection_behind) {
  Session session({ping(), raw("GET /v1.41/info", {}).and_stay()});
  EXPECT_TRUE(run(session.io, cancel_when_asked(session)));
  // A second call must not find the first one's connection, whose answer may still come.
  EXPECT_EQ(session.engine.connections(), 1);
}

TEST(Refusal, quotes_the_engine_and_carries_the_status) {
  Session session(
      {ping(),
       reply("POST /v1.41/containers/a/start", 500, R"({"message":"OCI runtime create failed"})"),
       reply("POST /v1.41/containers/a/start", 404, R"({"message":"No such container: a"})"),
       reply("POST /v1.41/containers/a/start", 404, R"({"message":"network n not found"})"),
       reply("POST /v1.41/containers/a/start", 409, R"({"message":"paused"})"),
       reply("POST /v1.41/containers/a/start", 503, "busy\n"),
       reply(
           "POST /v1.41/containers/a/start",
           500,
           R"({"message":"mkdir /x: no space left on device"})")});
  const auto start = [&] {
    return failure_of([&] { run(session.io, session.client.start_container(Ctx(), "a")); });
  };
  EXPECT_EQ(
      start(),
      "upstream_denied: the Docker engine could not start container 'a' | said: OCI runtime create "
      "failed");
  EXPECT_EQ(
      start(), "not_found: the Docker engine has no container 'a' | said: No such container: a");
  EXPECT_EQ(
      start(),
      "not_found: the Docker engine could not start container 'a' | said: network n not found");
  EXPECT_EQ(start(), "conflict: the Docker engine could not start container 'a' | said: paused");
  EXPECT_EQ(start(), "unavailable: the Docker engine could not start container 'a' | said: busy");
  EXPECT_EQ(
      start(),
      "upstream_denied: the Docker engine could not start container 'a' | said: mkdir /x: no space "
      "left on "
      "device | hint: the engine's disk is full: 'docker system df' shows what takes the room");
}

}  // namespace
}  // namespace freshet::engine
