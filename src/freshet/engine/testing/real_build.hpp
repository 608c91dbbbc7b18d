// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/buildkit/builder.hpp"
#include "freshet/engine/testing/real_engine.hpp"
#include "freshet/engine/testing/run.hpp"
#include "freshet/engine/testing/temp_tree.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace freshet::engine {

inline constexpr const char* k_base_image = "freshet-test-base:1";

/// Text that no earlier build has seen.
inline std::string fresh_text() {
  return std::to_string(std::chrono::steady_clock::now().time_since_epoch().count());
}

/// Builds of a tree of files on a real engine; skipped without FRESHET_TEST_ENGINE.
class RealBuild : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (const auto engine = find_test_engine()) {
      ASSERT_EQ(make_base_image(*engine, k_base_image), "");
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

  asio::io_context io_;
  std::optional<Endpoint> engine_;
  std::unique_ptr<DockerClient> client_;
  TempTree tree_;
  RecordedProgress progress_;
};

}  // namespace freshet::engine
