// SPDX-License-Identifier: Apache-2.0
// Builds that fail or are stopped on a real engine: FRESHET_TEST_ENGINE=unix:///run/docker.sock
// engine_test
#include "freshet/engine/testing/real_build.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>

namespace freshet::engine {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using ::testing::HasSubstr;

TEST_F(RealBuild, tells_the_exit_code_and_the_step_of_a_failing_command) {
  tree_.file("Dockerfile", fmt::format("FROM {}\nRUN echo before; exit 42\n", k_base_image));
  const auto failure = failure_of(request());
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->message(), "the command 'echo before; exit 42' ended with exit code 42");
  EXPECT_EQ(failure->code(), ErrorCode::step_failed);
  EXPECT_EQ(failure->exit_code(), 42);
  EXPECT_EQ(failure->vertex_name(), "[2/2] RUN echo before; exit 42");
  EXPECT_EQ(progress_.logs(), "before\n");
}

TEST_F(RealBuild, tells_the_line_of_a_mistake_in_the_dockerfile) {
  tree_.file("Dockerfile", fmt::format("FROM {}\n\nRUNN x\n", k_base_image));
  const auto failure = failure_of(request());
  ASSERT_TRUE(failure);
  EXPECT_THAT(
      failure->message(), HasSubstr("'Dockerfile' is not valid: unknown instruction: RUNN"));
  EXPECT_EQ(to_string(failure->position()), "Dockerfile:3");
  EXPECT_EQ(failure->code(), ErrorCode::invalid_input);
}

TEST_F(RealBuild, tells_what_a_copy_is_missing) {
  tree_.file("Dockerfile", fmt::format("FROM {}\nCOPY missing.txt /\n", k_base_image));
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
  tree_.file("Dockerfile", fmt::format("FROM {}\n", k_base_image));
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
  tree_.file("Dockerfile", fmt::format("FROM {}\nCOPY . /src/\n", k_base_image));
  tree_.file("closed/x", fresh_text());
  ::chmod((tree_.path() / "closed/x").c_str(), 0);
  const auto failure = failure_of(request());
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->message(), "cannot read 'closed/x' of the build context: Permission denied");
  EXPECT_EQ(failure->code(), ErrorCode::forbidden);
}

TEST_F(RealBuild, shows_the_true_error_of_a_long_dockerfile) {
  std::string text = fmt::format("FROM {}\n", k_base_image);
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
      "Dockerfile",
      fmt::format("FROM {}\nRUN echo running {}; sleep 60\n", k_base_image, fresh_text()));
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
  tree_.file(
      "Dockerfile", fmt::format("FROM {}\nRUN echo {}; sleep 60\n", k_base_image, fresh_text()));
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
  tree_.file(
      "Dockerfile", fmt::format("FROM {}\nRUN echo {}; sleep 60\n", k_base_image, fresh_text()));
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
  tree_.file(
      "Dockerfile", fmt::format("FROM {}\nRUN echo {}; sleep 60\n", k_base_image, fresh_text()));
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

}  // namespace
}  // namespace freshet::engine
