// SPDX-License-Identifier: Apache-2.0
// The client against a real engine: FRESHET_TEST_ENGINE names it (an address as for --engine). The
// image is made from a static busybox with the docker command. FRESHET_TEST_REGISTRY (host:port,
// reachable by the engine, wants user 'robot' with password 'secret') adds the push.
#include "freshet/base/ids.hpp"
#include "freshet/engine/docker/client.hpp"
#include "freshet/engine/testing/failure.hpp"
#include "freshet/engine/testing/run.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstdlib>

namespace freshet::engine {
namespace {

using testing::failure_of;
using testing::run;

constexpr std::string_view k_image = "freshet-test/busybox:1";

std::optional<std::string> variable(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
}

class RealEngine : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::optional<std::string> address = variable("FRESHET_TEST_ENGINE");
    if (!address) {
      GTEST_SKIP() << "FRESHET_TEST_ENGINE names no engine";
    }
    EndpointSources sources;
    sources.option = address;
    sources.environment = variable;
    client.emplace(io.get_executor(), find_endpoint(sources));
    if (!run(io, client->find_image(Ctx(), std::string(k_image)))) {
      make_image(client->endpoint());
    }
  }

  static void make_image(const Endpoint& endpoint) {
    const std::string command = fmt::format(
        "set -e; d=$(mktemp -d); mkdir $d/bin; cp $(command -v busybox) $d/bin/; ln -s busybox "
        "$d/bin/sh; "
        "tar -C $d -c . | docker -H {} import --change 'CMD [\"/bin/sh\"]' - {} >/dev/null; rm -r "
        "$d",
        endpoint.to_string(),
        k_image);
    ASSERT_EQ(std::system(command.c_str()), 0);
  }

  struct Ended {
    int code = -1;
    std::string out;
    std::string err;
  };

  static Awaitable<void> read(std::unique_ptr<ContainerOutput> output, Ended& ended) {
    const auto collect = [&](OutputStream stream, std::string_view bytes) {
      (stream == OutputStream::standard_error ? ended.err : ended.out) += bytes;
    };
    co_await output->read_all(Ctx(), collect);
  }

  /// The whole life of a container; the wait begins before the start or after it.
  static Awaitable<Ended> run_container(DockerClient& client, ContainerSpec spec, bool wait_first) {
    using namespace asio::experimental::awaitable_operators;
    Ended ended;
    const std::string id = co_await client.create_container(Ctx(), std::move(spec));
    std::unique_ptr<ContainerOutput> output = co_await client.attach(Ctx(), id);
    if (wait_first) {
      ended.code = co_await (
          client.wait_for_exit(Ctx(), id) && client.start_container(Ctx(), id) &&
          read(std::move(output), ended));
    } else {
      co_await client.start_container(Ctx(), id);
      ended.code = co_await (client.wait_for_exit(Ctx(), id) && read(std::move(output), ended));
    }
    co_await client.remove_container(Ctx(), id);
    co_return ended;
  }

  static ContainerSpec shell(const std::string& script) {
    ContainerSpec spec;
    spec.image = k_image;
    spec.command = {"sh", "-c", script};
    spec.labels = {{"freshet.test", "1"}};
    return spec;
  }

  asio::io_context io;
  std::optional<DockerClient> client;
};

TEST_F(RealEngine, tells_its_version_and_describes_itself) {
  const EngineVersion version = run(io, client->negotiate(Ctx()));
  EXPECT_NE(version.version, "");
  EXPECT_THAT(version.api_version, ::testing::StartsWith("1."));
  EXPECT_EQ(version.os, "linux");
  const EngineInfo info = run(io, client->info(Ctx()));
  EXPECT_NE(info.id, "");
  EXPECT_NE(info.storage_driver, "");
  EXPECT_GT(info.memory_bytes, 0U);
}

TEST_F(RealEngine, runs_containers_and_tells_their_exit_codes_and_output) {
  for (const bool wait_first : {true, false}) {
    for (const int code : {0, 7, 0, 42}) {
      const std::string script = fmt::format("echo out; echo err >&2; exit {}", code);
      const Ended ended = run(io, run_container(*client, shell(script), wait_first));
      EXPECT_EQ(ended.code, code);
      EXPECT_EQ(ended.out, "out\n");
      EXPECT_EQ(ended.err, "err\n");
    }
  }
  EXPECT_TRUE(run(io, client->list_containers(Ctx(), "freshet.test=1")).empty());
}

TEST_F(RealEngine, hands_on_much_output_without_losing_any) {
  const Ended ended =
      run(io, run_container(*client, shell("busybox head -c 20000000 /dev/zero; echo end"), false));
  EXPECT_EQ(ended.out.size(), 20'000'004U);
  EXPECT_THAT(ended.out, ::testing::EndsWith("end\n"));
}

TEST_F(RealEngine, says_why_a_container_cannot_be_made_or_started) {
  ContainerSpec spec = shell("");
  spec.image = "freshet-test/nope:1";
  EXPECT_EQ(
      failure_of([&] { run(io, client->create_container(Ctx(), spec)); }),
      "not_found: the Docker engine has no image 'freshet-test/nope:1' | said: No such image: "
      "freshet-test/nope:1");
  spec = shell("");
  spec.command = {"no-such-program"};
  const std::string id = run(io, client->create_container(Ctx(), spec));
  EXPECT_THAT(
      failure_of([&] { run(io, client->start_container(Ctx(), id)); }),
      ::testing::AllOf(
          ::testing::StartsWith(
              "upstream_denied: the Docker engine could not start container '" + id),
          ::testing::HasSubstr("\"no-such-program\": executable file not found in $PATH")));
  run(io, client->remove_container(Ctx(), id));
  run(io, client->remove_container(Ctx(), id));  // absent is success
  EXPECT_EQ(
      failure_of([&] { run(io, client->start_container(Ctx(), id)); }),
      "not_found: the Docker engine has no container '" + id +
          "' | said: No such container: " + id);
}

Awaitable<int> kill_and_wait(DockerClient& client, std::string id) {
  co_await client.start_container(Ctx(), id);
  co_await client.kill_container(Ctx(), id, "SIGKILL");
  co_return co_await client.wait_for_exit(Ctx(), id);
}

TEST_F(RealEngine, ends_a_container_by_signal_and_finds_it_by_label) {
  ContainerSpec spec = shell("busybox sleep 1000");
  const std::string label = "freshet.test.run=" + make_id();
  spec.labels.emplace_back("freshet.test.run", label.substr(label.find('=') + 1));
  const std::string id = run(io, client->create_container(Ctx(), spec));
  const auto found = run(io, client->list_containers(Ctx(), label));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].id, id);
  EXPECT_EQ(run(io, kill_and_wait(*client, id)), 137);
  run(io, client->remove_container(Ctx(), id));
  EXPECT_TRUE(run(io, client->list_containers(Ctx(), label)).empty());
}

TEST_F(RealEngine, keeps_what_is_written_to_a_volume_until_it_is_removed) {
  const std::string name = "freshet-test-" + make_id();
  run(io, client->create_volume(Ctx(), VolumeSpec{name, {{"freshet.volume", name}}, {}}));
  ContainerSpec spec = shell("echo kept > /v/file");
  spec.mounts = {{Mount::Kind::volume, name, "/v", false}};
  EXPECT_EQ(run(io, run_container(*client, spec, false)).code, 0);
  spec.command = {"sh", "-c", "busybox cat /v/file; busybox touch /v/x"};
  spec.mounts = {{Mount::Kind::volume, name, "/v", true}};
  const Ended ended = run(io, run_container(*client, spec, false));
  EXPECT_EQ(ended.out, "kept\n");
  EXPECT_EQ(ended.code, 1);

  const auto volumes = run(io, client->list_volumes(Ctx(), "freshet.volume=" + name));
  ASSERT_EQ(volumes.size(), 1U);
  EXPECT_EQ(volumes[0].id, name);
  run(io, client->remove_volume(Ctx(), name));
  run(io, client->remove_volume(Ctx(), name));
  EXPECT_TRUE(run(io, client->list_volumes(Ctx(), "freshet.volume=" + name)).empty());
}

TEST_F(RealEngine, tells_an_image_and_its_history_and_tags_it) {
  const std::string image(k_image);
  run(io, client->tag_image(Ctx(), image, "freshet-test/other", "2"));
  const auto details = run(io, client->find_image(Ctx(), "freshet-test/other:2"));
  ASSERT_TRUE(details);
  EXPECT_THAT(details->id, ::testing::StartsWith("sha256:"));
  EXPECT_EQ(details->command, std::vector<std::string>{"/bin/sh"});
  EXPECT_EQ(details->diff_ids.size(), 1U);
  EXPECT_EQ(run(io, client->image_history(Ctx(), details->id)).size(), 1U);
  EXPECT_FALSE(run(io, client->find_image(Ctx(), "freshet-test/nope:1")));
}

TEST_F(RealEngine, upgrades_a_connection_and_speaks_http2_first) {
  const std::optional<UniqueFd> fd = run(io, client->upgrade_to_h2c(Ctx(), "/grpc"));
  ASSERT_TRUE(fd);
  pollfd waiting{fd->get(), POLLIN, 0};
  ASSERT_EQ(::poll(&waiting, 1, 5000), 1);
  std::array<unsigned char, 9> frame{};
  ASSERT_EQ(::recv(fd->get(), frame.data(), frame.size(), 0), 9);
  EXPECT_EQ(frame[3], 4);  // SETTINGS: its first byte was not swallowed with the head
  EXPECT_FALSE(run(io, client->upgrade_to_h2c(Ctx(), "/no-such-path")));
}

TEST_F(RealEngine, pushes_and_pulls_and_says_what_the_registry_said) {
  const std::optional<std::string> registry = variable("FRESHET_TEST_REGISTRY");
  if (!registry) {
    GTEST_SKIP() << "FRESHET_TEST_REGISTRY names no registry";
  }
  const std::string repository = *registry + "/team/app";
  const std::string reference = repository + ":v1";
  run(io, client->tag_image(Ctx(), std::string(k_image), repository, "v1"));
  const auto push = [&](std::optional<RegistryAuth> auth) {
    return run(io, client->push_image(Ctx(), repository, "v1", std::move(auth), nullptr));
  };
  EXPECT_EQ(
      failure_of([&] { push(std::nullopt); }),
      "upstream_denied: " + *registry + " wants credentials for '" + reference +
          "', and there are none | said: no basic auth credentials");
  EXPECT_EQ(
      failure_of([&] {
        push(RegistryAuth{*registry, "robot", Secret("wrong")});
      }),
      "upstream_denied: " + *registry + " refused the credentials for '" + reference +
          "' | said: unauthorized: authentication required");
  const RegistryAuth auth{*registry, "robot", Secret("secret")};
  const PushedImage pushed = push(auth);
  EXPECT_THAT(pushed.digest, ::testing::StartsWith("sha256:"));
  EXPECT_GT(pushed.manifest_size_bytes, 0U);
  run(io, client->pull_image(Ctx(), repository + "@" + pushed.digest, auth, nullptr));
  EXPECT_EQ(
      failure_of([&] { run(io, client->pull_image(Ctx(), repository + ":nope", auth, nullptr)); }),
      "not_found: " + *registry + " has no '" + repository + ":nope' | said: manifest for " +
          repository + ":nope not found: manifest unknown: manifest unknown");
  EXPECT_THAT(
      failure_of(
          [&] { run(io, client->pull_image(Ctx(), "localhost:1/x:1", std::nullopt, nullptr)); }),
      ::testing::StartsWith("unavailable: the Docker engine does not reach localhost:1 | said: "));
}

}  // namespace
}  // namespace freshet::engine
