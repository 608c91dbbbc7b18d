// SPDX-License-Identifier: Apache-2.0
// Builds on a real engine: FRESHET_TEST_ENGINE=unix:///run/docker.sock engine_test
#include "freshet/base/text.hpp"
#include "freshet/engine/buildkit/builder.hpp"
#include "freshet/engine/testing/real_engine.hpp"
#include "freshet/engine/testing/run.hpp"
#include "freshet/engine/testing/temp_tree.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <set>

namespace freshet::engine {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* k_base = "freshet-test-base:1";

class RealBuild : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (const auto engine = find_test_engine()) {
      ASSERT_EQ(make_base_image(*engine, k_base), "");
    }
  }

  void SetUp() override {
    engine_ = find_test_engine();
    if (!engine_) {
      GTEST_SKIP() << "FRESHET_TEST_ENGINE is not set: no real engine to build on";
    }
    client_ = std::make_unique<DockerClient>(io_.get_executor(), *engine_);
  }

  BuildRequest request() const {
    BuildRequest out;
    out.context_directory = tree_.path();
    out.dockerfile = DockerfilePath{tree_.path() / "Dockerfile"};
    out.source_key = tree_.path().string();
    return out;
  }

  BuildResult build(const BuildRequest& request) {
    progress_ = RecordedProgress();
    ImageBuilder builder(*client_);
    return engine::testing::run(io_, builder.build(Ctx(), request, progress_.sink()));
  }

  std::optional<BuildFailed> failure_of(const BuildRequest& request) {
    try {
      build(request);
    } catch (const BuildFailed& error) {
      return error;
    }
    return std::nullopt;
  }

  /// A build of the same tree by the docker command.
  ShellOutcome docker_build(const std::string& options = "") const {
    return run_shell(fmt::format(
        "DOCKER_BUILDKIT=1 docker -H {} build --progress=plain {} {}",
        engine_->to_string(),
        options,
        tree_.path().string()));
  }

  std::string inspect(const std::string& image, const std::string& format) const {
    return run_shell(fmt::format(
                         "docker -H {} image inspect --format '{}' {}",
                         engine_->to_string(),
                         format,
                         image))
        .output;
  }

  /// Text that no earlier build has seen.
  static std::string fresh_text() {
    return std::to_string(Clock::now().time_since_epoch().count());
  }

  void make_awkward_tree();

  asio::io_context io_;
  std::optional<Endpoint> engine_;
  std::unique_ptr<DockerClient> client_;
  TempTree tree_;
  RecordedProgress progress_;
};

TEST_F(RealBuild, makes_an_image_with_labels_and_build_arguments) {
  tree_.file(
      "Dockerfile",
      fmt::format("FROM {}\nARG WHO\nRUN echo hello $WHO {}\n", k_base, fresh_text()));
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
  tree_.file("Dockerfile", fmt::format("FROM {}\nCOPY . /src/\nRUN ls /src\n", k_base));
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
  tree_.file("Dockerfile", fmt::format("FROM {}\nCOPY . /src/\n", k_base));
  tree_.file("a", fresh_text());
  tree_.file("b", "untouched");
  build(request());
  fs::last_write_time(tree_.path() / "a", fs::file_time_type::clock::now() - 1h);
  EXPECT_EQ(build(request()).context_files_sent, 1u);
  EXPECT_THAT(progress_.steps(true), ElementsAre("[2/2] COPY . /src/"));
}

TEST_F(RealBuild, notices_a_changed_file) {
  tree_.file("Dockerfile", fmt::format("FROM {}\nCOPY . /src/\n", k_base));
  tree_.file("a", fresh_text());
  build(request());
  tree_.file("a", fresh_text() + "!");
  EXPECT_EQ(build(request()).context_files_sent, 1u);
  EXPECT_THAT(progress_.steps(false), ElementsAre("[2/2] COPY . /src/"));
}

void RealBuild::make_awkward_tree() {
  tree_.file(
      "Dockerfile",
      fmt::format(
          "FROM {}\nCOPY . /all/\nCOPY *.txt /texts/\nCOPY link /link\nCOPY odd/dir/ /dir/\n",
          k_base));
  tree_.file(".dockerignore", "*.log\n!keep.log\nignored\n!ignored/except\n**/*.o\n# comment\n");
  tree_.file("a/x", fresh_text());
  tree_.file("a-b", "1");
  tree_.file("a.txt", "2");
  tree_.file("größe/ü.txt", "3");
  tree_.file("drop.log", "4");
  tree_.file("keep.log", "5");
  tree_.file("ignored/x", "6");
  tree_.file("ignored/except", "7");
  tree_.file("deep/er/x.o", "8");
  tree_.file("deep/er/x.c", "9");
  tree_.file("odd/real/file", "10");
  tree_.link("odd/dir", "real");
  tree_.link("link", "a/x");
  tree_.link("dangling", "no/where");
  tree_.hard_link("hard", "a-b");
  tree_.hard_link("b/hard", "a-b");
  tree_.fifo("pipe");
  tree_.directory("empty");
  tree_.file("tool", "11");
  ::chmod((tree_.path() / "tool").c_str(), 06755);
  ::chmod((tree_.path() / "empty").c_str(), 01777);
  ::setxattr((tree_.path() / "tool").c_str(), "user.note", "x", 1, 0);
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
  make_awkward_tree();
  build(request());
  EXPECT_THAT(progress_.steps(false), SizeIs(4));
  const ShellOutcome reference = docker_build();
  EXPECT_EQ(reference.exit_code, 0) << reference.output;
  EXPECT_EQ(count_cached(reference.output), 4u) << reference.output;
}

TEST_F(RealBuild, uses_the_cache_that_the_docker_command_left) {
  make_awkward_tree();
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
      fmt::format("FROM {}\nCOPY . /src/\nRUN test -f /src/s # {}\n", k_base, fresh_text()));
  tree_.socket("s");
  build(request());
}

TEST_F(RealBuild, tells_the_exit_code_and_the_step_of_a_failing_command) {
  tree_.file("Dockerfile", fmt::format("FROM {}\nRUN echo before; exit 42\n", k_base));
  const auto failure = failure_of(request());
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->message(), "the command 'echo before; exit 42' ended with exit code 42");
  EXPECT_EQ(failure->exit_code(), 42);
  EXPECT_EQ(failure->vertex_name(), "[2/2] RUN echo before; exit 42");
  EXPECT_EQ(progress_.logs(), "before\n");
}

TEST_F(RealBuild, tells_the_line_of_a_mistake_in_the_dockerfile) {
  tree_.file("Dockerfile", fmt::format("FROM {}\n\nRUNN x\n", k_base));
  const auto failure = failure_of(request());
  ASSERT_TRUE(failure);
  EXPECT_THAT(
      failure->message(), HasSubstr("'Dockerfile' is not valid: unknown instruction: RUNN"));
  EXPECT_EQ(to_string(failure->position()), "Dockerfile:3");
  EXPECT_EQ(failure->code(), ErrorCode::invalid_input);
}

TEST_F(RealBuild, tells_what_a_copy_is_missing) {
  tree_.file("Dockerfile", fmt::format("FROM {}\nCOPY missing.txt /\n", k_base));
  const auto failure = failure_of(request());
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->message(), "'/missing.txt' does not exist in the build context");
}

TEST_F(RealBuild, tells_that_the_dockerfile_is_missing_without_asking_the_engine) {
  try {
    build(request());
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_found);
    EXPECT_EQ(
        error.message(), "no Dockerfile found at '" + (tree_.path() / "Dockerfile").string() + "'");
  }
}

TEST_F(RealBuild, refuses_an_unknown_stage_at_once) {
  tree_.file("Dockerfile", fmt::format("FROM {}\n", k_base));
  BuildRequest with = request();
  with.target = "nope";
  const auto before = Clock::now();
  const auto failure = failure_of(with);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->message(), "'Dockerfile' has no stage 'nope'");
  EXPECT_LT(Clock::now() - before, 3s);
}

TEST_F(RealBuild, names_a_base_image_that_cannot_be_fetched) {
  tree_.file("Dockerfile", "FROM 127.0.0.1:1/nothing:1\n");
  const auto failure = failure_of(request());
  ASSERT_TRUE(failure);
  EXPECT_EQ(
      failure->message(), "base image '127.0.0.1:1/nothing:1' cannot be fetched from its registry");
  EXPECT_EQ(failure->code(), ErrorCode::unavailable);
}

TEST_F(RealBuild, names_a_file_that_it_may_not_read) {
  if (::geteuid() == 0) {
    GTEST_SKIP() << "root may read everything: needs another user";
  }
  tree_.file("Dockerfile", fmt::format("FROM {}\nCOPY . /src/\n", k_base));
  tree_.file("closed/x", fresh_text());
  ::chmod((tree_.path() / "closed/x").c_str(), 0);
  const auto failure = failure_of(request());
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->message(), "cannot read 'closed/x' of the build context: Permission denied");
  EXPECT_EQ(failure->code(), ErrorCode::forbidden);
}

TEST_F(RealBuild, fetches_a_base_image_with_the_credentials_of_its_registry) {
  const auto registry = PrivateRegistry::try_start("user", "password");
  if (!registry) {
    GTEST_SKIP() << "docker-registry or htpasswd is not installed";
  }
  const std::string image = fmt::format("{}/base{}:1", registry->host(), fresh_text());
  ASSERT_EQ(registry->push(*engine_, k_base, image), "");
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
  with.dockerfile = DockerfileText{fmt::format("FROM {}\nLABEL n=1\nCOPY file /\n", k_base)};
  const BuildResult first = build(with);
  with.dockerfile = DockerfileText{fmt::format("FROM {}\nLABEL n=2\nCOPY file /\n", k_base)};
  const BuildResult second = build(with);
  EXPECT_EQ(inspect(first.image_id, "{{.Config.Labels.n}}"), "1\n");
  EXPECT_EQ(inspect(second.image_id, "{{.Config.Labels.n}}"), "2\n");
}

TEST_F(RealBuild, takes_a_dockerfile_outside_of_the_context_with_its_own_ignore_file) {
  TempTree elsewhere;
  elsewhere.file("app.dockerfile", fmt::format("FROM {}\nCOPY . /src/\nRUN ls /src\n", k_base));
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
      "Dockerfile", fmt::format("FROM {} AS one\nRUN echo one\nFROM one\nRUN false\n", k_base));
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
      fmt::format("FROM {}\nCOPY . /src/\nRUN find /src -type f | grep ignored; true\n", k_base));
  build(request());
  EXPECT_THAT(progress_.logs(), ::testing::Not(HasSubstr("file-399")));
}

TEST_F(RealBuild, shows_the_true_error_of_a_long_dockerfile) {
  std::string text = fmt::format("FROM {}\n", k_base);
  while (text.size() < 25 * 1024) {
    text += "# a comment that makes this file long\n";
  }
  tree_.file("Dockerfile", text + "RUN exit 3\n");
  const auto failure = failure_of(request());
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->message(), "the command 'exit 3' ended with exit code 3");
}

TEST_F(RealBuild, stops_soon_after_it_was_cancelled) {
  tree_.file(
      "Dockerfile", fmt::format("FROM {}\nRUN echo running {}; sleep 60\n", k_base, fresh_text()));
  asio::cancellation_signal signal;
  std::optional<Clock::time_point> cancelled_at;
  auto sink = [&](const ProgressUpdate& update) {
    if (!update.logs.empty() && !cancelled_at) {
      cancelled_at = Clock::now();
      asio::post(io_, [&] { signal.emit(asio::cancellation_type::terminal); });
    }
  };
  std::exception_ptr failure;
  ImageBuilder builder(*client_);
  const auto finish = [&](std::exception_ptr thrown, const BuildResult&) { failure = thrown; };
  asio::co_spawn(
      io_,
      builder.build(Ctx(), request(), sink),
      asio::bind_cancellation_slot(signal.slot(), finish));
  io_.run();
  ASSERT_TRUE(cancelled_at);
  EXPECT_LT(Clock::now() - *cancelled_at, 4s);
  EXPECT_THROW(std::rethrow_exception(failure), boost::system::system_error);
}

TEST_F(RealBuild, stops_at_its_deadline) {
  tree_.file("Dockerfile", fmt::format("FROM {}\nRUN echo {}; sleep 60\n", k_base, fresh_text()));
  ImageBuilder builder(*client_);
  const auto before = Clock::now();
  try {
    engine::testing::run(io_, builder.build(Ctx().within(1s), request(), progress_.sink()));
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "the build took too long");
  }
  EXPECT_LT(Clock::now() - before, 6s);
}

TEST_F(RealBuild, ends_with_what_the_receiver_of_progress_threw) {
  tree_.file("Dockerfile", fmt::format("FROM {}\nRUN echo {}; sleep 60\n", k_base, fresh_text()));
  ImageBuilder builder(*client_);
  auto sink = [](const ProgressUpdate&) { throw Error(ErrorCode::internal, "the log is full"); };
  try {
    engine::testing::run(io_, builder.build(Ctx(), request(), sink));
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "the log is full");
  }
}

TEST_F(RealBuild, tells_that_the_engine_went_away) {
  CuttableProxy proxy(*engine_);
  client_ = std::make_unique<DockerClient>(io_.get_executor(), proxy.endpoint());
  tree_.file("Dockerfile", fmt::format("FROM {}\nRUN echo {}; sleep 60\n", k_base, fresh_text()));
  ImageBuilder builder(*client_);
  auto sink = [&](const ProgressUpdate& update) {
    if (!update.logs.empty()) {
      proxy.cut();
    }
  };
  const auto before = Clock::now();
  try {
    engine::testing::run(io_, builder.build(Ctx(), request(), sink));
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "the Docker engine went away during the build");
    EXPECT_EQ(error.code(), ErrorCode::unavailable);
  }
  EXPECT_LT(Clock::now() - before, 20s);
}

std::size_t count_entries(const char* directory) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

TEST_F(RealBuild, leaves_no_descriptor_and_no_thread_behind) {
  tree_.file("Dockerfile", fmt::format("FROM {}\nCOPY . /src/\n", k_base));
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
