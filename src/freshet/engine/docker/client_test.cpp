// SPDX-License-Identifier: Apache-2.0
// What the client asks for each operation and makes of the answers.
#include "freshet/engine/docker/client.hpp"

#include "freshet/engine/testing/client_session.hpp"
#include "freshet/engine/testing/failure.hpp"

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace std::string_literals;

namespace freshet::engine {
namespace {

using testing::chunked;
using testing::failure_of;
using testing::ping;
using testing::raw;
using testing::reply;
using testing::run;
using testing::Scripted;
using Session = testing::ClientSession;

TEST(CreateContainer, says_all_that_was_wished_for) {
  Session session(
      {ping(), reply("POST /v1.41/containers/create?name=step-1", 201, R"({"Id":"abc"})")});
  ContainerSpec spec;
  spec.name = "step-1";
  spec.image = "alpine:3";
  spec.entry_point = std::vector<std::string>();
  spec.command = {"sh", "-c", "make"};
  spec.environment = {"A=1"};
  spec.working_directory = "/src";
  spec.user = "1000";
  spec.labels = {{"k", "v"}};
  spec.mounts = {
      {Mount::Kind::bind, "/host", "/src", true}, {Mount::Kind::volume, "vol", "/cache", false}};

  EXPECT_EQ(run(session.io, session.client.create_container(Ctx(), spec)), "abc");

  EXPECT_EQ(session.last_body(), boost::json::parse(R"({
    "Image": "alpine:3", "Entrypoint": [], "Cmd": ["sh", "-c", "make"], "Env": ["A=1"],
    "WorkingDir": "/src", "User": "1000", "Labels": {"k": "v"},
    "AttachStdout": true, "AttachStderr": true,
    "HostConfig": {"NetworkMode": "default", "Mounts": [
      {"Type": "bind", "Source": "/host", "Target": "/src", "ReadOnly": true},
      {"Type": "volume", "Source": "vol", "Target": "/cache", "ReadOnly": false}]}})"));
}

TEST(CreateContainer, takes_capabilities_and_the_mapping_of_users_away_where_that_is_wished) {
  Session session({ping(), reply("POST /v1.41/containers/create", 201, R"({"Id":"abc"})")});
  ContainerSpec spec;
  spec.image = "tool";
  spec.network = "none";
  spec.capabilities = {"CHOWN", "FOWNER"};
  spec.has_users_of_host = true;

  run(session.io, session.client.create_container(Ctx(), spec));

  EXPECT_EQ(
      session.last_body().at("HostConfig"),
      boost::json::parse(R"({"NetworkMode": "none", "Mounts": [], "CapDrop": ["ALL"],
        "CapAdd": ["CHOWN", "FOWNER"], "UsernsMode": "host"})"));
}

TEST(CreateContainer, leaves_the_images_entry_point_and_command_alone_and_names_a_missing_image) {
  Session session(
      {ping(),
       reply("POST /v1.41/containers/create", 404, R"({"message":"No such image: nope:latest"})")});
  ContainerSpec spec;
  spec.image = "nope";
  EXPECT_EQ(
      failure_of([&] { run(session.io, session.client.create_container(Ctx(), spec)); }),
      "not_found: the Docker engine has no image 'nope' | said: No such image: nope:latest");
  EXPECT_FALSE(session.last_body().as_object().contains("Entrypoint"));
  EXPECT_FALSE(session.last_body().as_object().contains("Cmd"));
}

Scripted attach_answer(std::vector<std::string> pieces) {
  return raw("POST /v1.41/containers/a/attach?stream=1&stdout=1&stderr=1", std::move(pieces));
}

const std::string k_upgraded =
    "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: "
    "Upgrade\r\n"
    "Upgrade: tcp\r\n\r\n";

Awaitable<std::string> read_output(DockerClient& client) {
  const std::unique_ptr<ContainerOutput> output = co_await client.attach(Ctx(), "a");
  std::string text;
  const auto collect = [&](OutputStream stream, std::string_view bytes) {
    text += stream == OutputStream::standard_error ? "[" + std::string(bytes) + "]"
                                                   : std::string(bytes);
  };
  co_await output->read_all(Ctx(), collect);
  co_return text;
}

TEST(Attach, reads_frames_that_come_with_the_head_and_behind_it) {
  const std::string frames = "\1\0\0\0\0\0\0\3out\2\0\0\0\0\0\0\3err"s;
  Session session(
      {ping(), attach_answer({k_upgraded + frames.substr(0, 13), frames.substr(13)}).and_close()});
  EXPECT_EQ(run(session.io, read_output(session.client)), "out[err]");
}

TEST(Attach, reads_them_as_well_when_a_proxy_swallowed_the_upgrade) {
  const std::string frame = "\1\0\0\0\0\0\0\3out"s;
  Session session(
      {ping(),
       attach_answer({"HTTP/1.1 200 OK\r\n\r\n" + frame.substr(0, 4), frame.substr(4)})
           .and_close()});
  EXPECT_EQ(run(session.io, read_output(session.client)), "out");
}

TEST(Attach, output_that_breaks_off_inside_a_frame_is_a_failure) {
  Session session({ping(), attach_answer({k_upgraded + "\1\0\0\0\0\0\0\3ou"s}).and_close()});
  EXPECT_EQ(
      failure_of([&] { run(session.io, read_output(session.client)); }),
      "unavailable: the Docker engine went away");
}

const std::string k_wait = "POST /v1.41/containers/a/wait?condition=next-exit";
const std::string k_inspect = "GET /v1.41/containers/a/json";

TEST(WaitForExit, takes_the_code_that_comes_long_after_the_head) {
  Session session(
      {ping(),
       raw(k_wait,
           {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "11\r\n{\"StatusCode\"",
            ":7}\n\r\n0\r\n\r\n"}),
       reply(k_inspect, 200, R"({"State":{"Status":"created","ExitCode":0}})")});
  EXPECT_EQ(run(session.io, session.client.wait_for_exit(Ctx(), "a")), 7);
}

TEST(WaitForExit, notices_an_exit_that_came_before_the_engine_listened) {
  Session session(
      {ping(),
       raw(k_wait, {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"}).and_stay(),
       reply(k_inspect, 200, R"({"State":{"Status":"exited","ExitCode":3}})")});
  EXPECT_EQ(run(session.io, session.client.wait_for_exit(Ctx(), "a")), 3);
}

TEST(WaitForExit, never_takes_trouble_for_success) {
  Session session(
      {ping(),
       reply(k_wait, 200, R"({"StatusCode":-1,"Error":null})"),
       reply(k_inspect, 200, R"({"State":{"Status":"running"}})"),
       reply(k_wait, 200, R"({"StatusCode":0,"Error":{"Message":"lost it"}})"),
       reply(k_inspect, 404, R"({"message":"No such container: a"})"),
       reply(k_wait, 200, "").and_close(),
       reply(k_inspect, 200, R"({"State":{"Status":"running"}})")});
  EXPECT_EQ(run(session.io, session.client.wait_for_exit(Ctx(), "a")), -1);
  EXPECT_EQ(
      failure_of([&] { run(session.io, session.client.wait_for_exit(Ctx(), "a")); }),
      "upstream_denied: the Docker engine could not wait for container 'a' | said: lost it");
  EXPECT_EQ(
      failure_of([&] { run(session.io, session.client.wait_for_exit(Ctx(), "a")); }),
      "corrupt_data: the answer from " + session.engine.endpoint().to_string() +
          " was malformed when asked to wait for container 'a' | hint: check that a Docker engine "
          "listens "
          "there");
}

TEST(WaitForExit, an_engine_that_dies_meanwhile_went_away) {
  Session session(
      {ping(),
       raw(k_wait, {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"}).and_close(),
       reply(k_inspect, 200, R"({"State":{"Status":"running"}})")});
  EXPECT_EQ(
      failure_of([&] { run(session.io, session.client.wait_for_exit(Ctx(), "a")); }),
      "unavailable: the Docker engine went away");
}

TEST(Remove, absent_is_success) {
  const std::string absent = R"({"message":"no such thing"})";
  Session session(
      {ping(),
       reply("DELETE /v1.41/containers/a?v=1&force=1", 404, absent),
       reply("DELETE /v1.41/volumes/v", 404, absent),
       reply("DELETE /v1.41/networks/n", 404, absent),
       reply("DELETE /v1.41/volumes/v", 409, R"({"message":"volume is in use"})")});
  run(session.io, session.client.remove_container(Ctx(), "a"));
  run(session.io, session.client.remove_volume(Ctx(), "v"));
  run(session.io, session.client.remove_network(Ctx(), "n"));
  EXPECT_EQ(
      failure_of([&] { run(session.io, session.client.remove_volume(Ctx(), "v")); }),
      "conflict: the Docker engine could not remove volume 'v' | said: volume is in use");
}

TEST(List, finds_what_carries_the_label) {
  const std::string filter = "filters=%7B%22label%22%3A%5B%22app%3Dx%22%5D%7D";
  Session session(
      {ping(),
       reply(
           "GET /v1.41/containers/json?all=1&" + filter,
           200,
           R"([{"Id":"c1","Labels":{"app":"x"}}])"),
       reply("GET /v1.41/volumes?" + filter, 200, R"({"Volumes":[{"Name":"v1","Labels":null}]})"),
       reply("GET /v1.41/volumes?" + filter, 200, R"({"Volumes":null})"),
       reply("GET /v1.41/networks?" + filter, 200, R"([{"Id":"n1","Name":"net","Labels":{}}])")});
  const auto containers = run(session.io, session.client.list_containers(Ctx(), "app=x"));
  ASSERT_EQ(containers.size(), 1U);
  EXPECT_EQ(containers[0].id, "c1");
  EXPECT_EQ(containers[0].labels, (Labels{{"app", "x"}}));
  const auto volumes = run(session.io, session.client.list_volumes(Ctx(), "app=x"));
  ASSERT_EQ(volumes.size(), 1U);
  EXPECT_EQ(volumes[0].id, "v1");
  EXPECT_TRUE(run(session.io, session.client.list_volumes(Ctx(), "app=x")).empty());
  EXPECT_EQ(run(session.io, session.client.list_networks(Ctx(), "app=x")).at(0).id, "n1");
}

RegistryAuth credentials() {
  return RegistryAuth{"r.example", "robot", Secret("hunter2")};
}

TEST(Push, tells_the_digest_and_hands_over_credentials_in_the_header_only) {
  Session session(
      {ping(),
       chunked(
           "POST /v1.41/images/r.example/app/push?tag=v1",
           {R"({"status":"Pushed","id":"aaaaaaaaaaaa"}{"aux":{"Tag":"v1","Dig)",
            R"(est":"sha256:12","Size":528}})"})});
  std::vector<std::string> lines;
  const ProgressLine collect = [&](std::string_view line) { lines.emplace_back(line); };

  const PushedImage pushed = run(
      session.io, session.client.push_image(Ctx(), "r.example/app", "v1", credentials(), collect));

  EXPECT_EQ(pushed.digest, "sha256:12");
  EXPECT_EQ(pushed.manifest_size_bytes, 528U);
  EXPECT_EQ(lines, std::vector<std::string>{"aaaaaaaaaaaa: Pushed"});
  EXPECT_THAT(
      session.engine.messages().back(),
      ::testing::HasSubstr("\r\nX-Registry-Auth: "
                           "eyJ1c2VybmFtZSI6InJvYm90IiwicGFzc3dvcmQiOiJodW50ZXIyIiwic2VydmVyYWRkcmV"
                           "zcyI6InIuZXhhbXBsZSJ9\r\n"));
}

TEST(Push, says_what_the_registry_said) {
  Session session(
      {ping(),
       chunked(
           "POST /v1.41/images/r.example/app/push?tag=v1",
           {R"({"errorDetail":{"message":"unauthorized: authentication required"},"error":"x"})"}),
       chunked("POST /v1.41/images/r.example/app/push?tag=v1", {R"({"status":"done"})"}),
       reply(
           "POST /v1.41/images/r.example/app/push?tag=v1",
           404,
           R"({"message":"An image does not exist locally with the tag: r.example/app"})")});
  const auto push = [&] {
    return failure_of([&] {
      run(session.io,
          session.client.push_image(Ctx(), "r.example/app", "v1", credentials(), nullptr));
    });
  };
  EXPECT_EQ(
      push(),
      "upstream_denied: r.example refused the credentials for 'r.example/app:v1' | said: "
      "unauthorized: "
      "authentication required");
  EXPECT_EQ(
      push(),
      "corrupt_data: the Docker engine did not say under which digest it pushed "
      "'r.example/app:v1'");
  EXPECT_EQ(
      push(),
      "not_found: the Docker engine has no image 'r.example/app:v1' | said: An image does not "
      "exist locally "
      "with the tag: r.example/app");
}

TEST(Push, an_engine_that_dies_meanwhile_went_away) {
  Session session(
      {ping(),
       raw("POST /v1.41/images/r.example/app/push?tag=v1",
           {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "2\r\n{}\r\n"})
           .and_close()});
  EXPECT_EQ(
      failure_of([&] {
        run(session.io,
            session.client.push_image(Ctx(), "r.example/app", "v1", std::nullopt, nullptr));
      }),
      "unavailable: the Docker engine went away");
}

TEST(Pull, of_a_bare_name_means_latest_and_not_all_tags) {
  Session session(
      {ping(),
       chunked(
           "POST /v1.41/images/create?fromImage=host%3A5000%2Fapp%3Alatest",
           {R"({"status":"ok"})"}),
       chunked(
           "POST /v1.41/images/create?fromImage=app%40sha256%3A1",
           {R"({"error":"manifest unknown"})"})});
  run(session.io, session.client.pull_image(Ctx(), "host:5000/app", std::nullopt, nullptr));
  EXPECT_THAT(
      session.engine.messages().back(), ::testing::HasSubstr("\r\nX-Registry-Auth: e30=\r\n"));
  EXPECT_EQ(
      failure_of([&] {
        run(session.io, session.client.pull_image(Ctx(), "app@sha256:1", std::nullopt, nullptr));
      }),
      "not_found: docker.io has no 'app@sha256:1' | said: manifest unknown");
}

}  // namespace
}  // namespace freshet::engine
