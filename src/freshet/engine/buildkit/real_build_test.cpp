// SPDX-License-Identifier: Apache-2.0
// Builds that succeed on a real engine: FRESHET_TEST_ENGINE=unix:///run/docker.sock engine_test
#include "freshet/engine/testing/real_build.hpp"

#include "freshet/base/text.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <set>

namespace freshet::engine {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(RealBuild, makes_an_image_with_labels_and_build_arguments) {
  tree_.file(
      "Dockerfile",
      fmt::format("FROM {}\nARG WHO\nRUN echo hello $WHO {}\n", k_base_image, fresh_text()));
  BuildRequest with = request();
  with.build_arguments = {{"WHO", "freshet"}};
  with.labels = {{"org.example.team", "a b"}};
  const BuildResult result = build(with);
  EXPECT_THAT(progress_.logs(), HasSubstr("hello freshet"));
  EXPECT_EQ(
      inspect(result.image_id, "{{.Id}} {{index .Config.Labels \"org.example.team\"}}"),
      result.image_id + " a b\n");
}

TEST_F(RealBuild, again_is_cached_and_sends_nothing) {
  tree_.file("Dockerfile", fmt::format("FROM {}\nCOPY . /src/\nRUN ls /src\n", k_base_image));
  tree_.file("a/file", fresh_text());
  const BuildResult first = build(request());
  EXPECT_THAT(progress_.steps(false), SizeIs(2));
  EXPECT_EQ(first.context_files_sent, 2u);  // the Dockerfile is part of the context, too
  const BuildResult second = build(request());
  EXPECT_THAT(progress_.steps(false), IsEmpty());
  EXPECT_THAT(progress_.steps(true), SizeIs(2));
  EXPECT_EQ(second.context_files_sent, 0u);
  EXPECT_EQ(second.context_bytes_sent, 0u);
  EXPECT_EQ(second.image_id, first.image_id);
}

TEST_F(RealBuild, sends_a_touched_file_again_and_keeps_the_step_cached) {
  tree_.file("Dockerfile", fmt::format("FROM {}\nCOPY . /src/\n", k_base_image));
  tree_.file("a", fresh_text());
  tree_.file("b", "untouched");
  build(request());
  fs::last_write_time(tree_.path() / "a", fs::file_time_type::clock::now() - 1h);
  EXPECT_EQ(build(request()).context_files_sent, 1u);
  EXPECT_THAT(progress_.steps(true), ElementsAre("[2/2] COPY . /src/"));
}

TEST_F(RealBuild, notices_a_changed_file) {
  tree_.file("Dockerfile", fmt::format("FROM {}\nCOPY . /src/\n", k_base_image));
  tree_.file("a", fresh_text());
  build(request());
  tree_.file("a", fresh_text() + "!");
  EXPECT_EQ(build(request()).context_files_sent, 1u);
  EXPECT_THAT(progress_.steps(false), ElementsAre("[2/2] COPY . /src/"));
}

/// Everything that is easy to send wrongly.
void make_awkward(TempTree& tree) {
  tree.file(
      "Dockerfile",
      fmt::format(
          "FROM {}\nCOPY . /all/\nCOPY *.txt /texts/\nCOPY link /link\nCOPY odd/dir/ /dir/\n",
          k_base_image));
  tree.file(".dockerignore", "*.log\n!keep.log\nignored\n!ignored/except\n**/*.o\n# comment\n");
  tree.file("a/x", fresh_text());
  tree.file("a-b", "1");
  tree.file("a.txt", "2");
  tree.file("größe/ü.txt", "3");
  tree.file("drop.log", "4");
  tree.file("keep.log", "5");
  tree.file("ignored/x", "6");
  tree.file("ignored/except", "7");
  tree.file("deep/er/x.o", "8");
  tree.file("deep/er/x.c", "9");
  tree.file("odd/real/file", "10");
  tree.link("odd/dir", "real");
  tree.link("link", "a/x");
  tree.link("dangling", "no/where");
  tree.hard_link("hard", "a-b");
  tree.hard_link("b/hard", "a-b");
  tree.fifo("pipe");
  tree.directory("empty");
  tree.file("tool", "11");
  ::chmod((tree.path() / "tool").c_str(), 06755);
  ::chmod((tree.path() / "empty").c_str(), 01777);
  ::setxattr((tree.path() / "tool").c_str(), "user.note", "x", 1, 0);
}

/// How many COPY steps the docker command reports as cached: `#7 [3/5] COPY …`, then `#7 CACHED`.
std::size_t count_cached(const std::string& output) {
  std::size_t count = 0;
  std::set<std::string> copies;
  for (const std::string& line : split(output, '\n')) {
    const std::string number = line.substr(0, line.find(' '));
    if (line.find("] COPY ") != std::string::npos) {
      copies.insert(number);
    }
    count += line == number + " CACHED" && copies.contains(number) ? 1 : 0;
  }
  return count;
}

TEST_F(RealBuild, leaves_a_cache_that_the_docker_command_uses) {
  make_awkward(tree_);
  build(request());
  EXPECT_THAT(progress_.steps(false), SizeIs(4));
  const ShellOutcome reference = docker_build();
  EXPECT_EQ(reference.exit_code, 0) << reference.output;
  EXPECT_EQ(count_cached(reference.output), 4u) << reference.output;
}

TEST_F(RealBuild, uses_the_cache_that_the_docker_command_left) {
  make_awkward(tree_);
  const ShellOutcome reference = docker_build();
  EXPECT_EQ(reference.exit_code, 0) << reference.output;
  EXPECT_EQ(count_cached(reference.output), 0u) << reference.output;
  build(request());
  EXPECT_THAT(progress_.steps(true), SizeIs(4));
  EXPECT_THAT(progress_.steps(false), IsEmpty());
}

TEST_F(RealBuild, copies_a_socket_as_an_empty_file) {
  tree_.file(
      "Dockerfile",
      fmt::format("FROM {}\nCOPY . /src/\nRUN test -f /src/s # {}\n", k_base_image, fresh_text()));
  tree_.socket("s");
  build(request());
}

TEST_F(RealBuild, fetches_a_base_image_with_the_credentials_of_its_registry) {
  const auto registry = PrivateRegistry::try_start("user", "password");
  if (!registry) {
    GTEST_SKIP() << "docker-registry or htpasswd is not installed";
  }
  const std::string image = fmt::format("{}/base{}:1", registry->host(), fresh_text());
  ASSERT_EQ(registry->push(*engine_, k_base_image, image), "");
  tree_.file("Dockerfile", fmt::format("FROM {}\nRUN echo it runs {}\n", image, fresh_text()));
  BuildRequest with = request();
  const auto anonymous = failure_of(with);
  ASSERT_TRUE(anonymous);
  EXPECT_EQ(
      anonymous->message(), fmt::format("the registry denied access to base image '{}'", image));
  EXPECT_EQ(anonymous->code(), ErrorCode::upstream_denied);
  std::string asked_for;
  with.credentials = [&](std::string_view host) {
    asked_for = host;
    return RegistryAuth{std::string(host), "user", Secret("wrong")};
  };
  EXPECT_TRUE(failure_of(with));
  EXPECT_EQ(asked_for, registry->host());
  with.credentials = [&](std::string_view host) {
    return RegistryAuth{std::string(host), "user", Secret("password")};
  };
  build(with);
  EXPECT_THAT(progress_.logs(), HasSubstr("it runs"));
}

TEST_F(RealBuild, takes_a_dockerfile_as_text_and_notices_when_it_changes) {
  tree_.file("file", fresh_text());
  BuildRequest with = request();
  with.dockerfile = DockerfileText{fmt::format("FROM {}\nLABEL n=1\nCOPY file /\n", k_base_image)};
  const BuildResult first = build(with);
  with.dockerfile = DockerfileText{fmt::format("FROM {}\nLABEL n=2\nCOPY file /\n", k_base_image)};
  const BuildResult second = build(with);
  EXPECT_EQ(inspect(first.image_id, "{{.Config.Labels.n}}"), "1\n");
  EXPECT_EQ(inspect(second.image_id, "{{.Config.Labels.n}}"), "2\n");
}

TEST_F(RealBuild, takes_a_dockerfile_outside_of_the_context_with_its_own_ignore_file) {
  TempTree elsewhere;
  elsewhere.file(
      "app.dockerfile", fmt::format("FROM {}\nCOPY . /src/\nRUN ls /src\n", k_base_image));
  elsewhere.file("app.dockerfile.dockerignore", "secret\n");
  tree_.file("kept", fresh_text());
  tree_.file("secret", "x");
  BuildRequest with = request();
  with.dockerfile = DockerfilePath{elsewhere.path() / "app.dockerfile"};
  build(with);
  EXPECT_EQ(progress_.logs(), "kept\n");
}

TEST_F(RealBuild, builds_a_stage_without_cache_when_told_so) {
  tree_.file(
      "Dockerfile",
      fmt::format("FROM {} AS one\nRUN echo one\nFROM one\nRUN false\n", k_base_image));
  BuildRequest with = request();
  with.target = "one";
  with.no_cache = true;
  build(with);
  build(with);
  EXPECT_THAT(progress_.steps(false), ElementsAre("[one 2/2] RUN echo one"));
}

TEST_F(RealBuild, takes_a_long_ignore_file) {
  std::string lines;
  for (int i = 0; i < 400; ++i) {
    lines += fmt::format("some/rather/long/path/to/an/ignored/file-{:03}\n", i);
  }
  tree_.file(".dockerignore", lines);
  tree_.file("some/rather/long/path/to/an/ignored/file-399", "x");
  tree_.file("kept", fresh_text());
  tree_.file(
      "Dockerfile",
      fmt::format(
          "FROM {}\nCOPY . /src/\nRUN find /src -type f | grep ignored; true\n", k_base_image));
  build(request());
  EXPECT_THAT(progress_.logs(), ::testing::Not(HasSubstr("file-399")));
}

std::size_t count_entries(const char* directory) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

TEST_F(RealBuild, leaves_no_descriptor_and_no_thread_behind) {
  tree_.file("Dockerfile", fmt::format("FROM {}\nCOPY . /src/\n", k_base_image));
  tree_.file("a", fresh_text());
  for (int i = 0; i < 3; ++i) {
    build(request());
  }
  const std::size_t descriptors = count_entries("/proc/self/fd");
  const std::size_t threads = count_entries("/proc/self/task");
  for (int i = 0; i < 20; ++i) {
    build(request());
  }
  EXPECT_LE(count_entries("/proc/self/fd"), descriptors + 2);
  EXPECT_LE(count_entries("/proc/self/task"), threads + 2);
}

TEST_F(RealBuild, can_be_probed) {
  ImageBuilder builder(*client_);
  engine::testing::run(io_, builder.probe(Ctx()));
}

}  // namespace
}  // namespace freshet::engine
