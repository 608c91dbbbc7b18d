// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/buildkit/builder.hpp"
#include "freshet/engine/buildkit/dockerfile_source.hpp"
#include "freshet/engine/buildkit/proto/control.grpc.pb.h"
#include "freshet/engine/buildkit/session_services.hpp"
#include "freshet/engine/buildkit/status_stream.hpp"

#include <grpcpp/channel.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>

namespace freshet::engine {

/// One build, run with blocking calls from a thread made for it.
class BuildRun {
 public:
  using OnProgress = std::function<void(ProgressUpdate update)>;

  BuildRun(std::shared_ptr<grpc::Channel> channel, BuildRequest request);

  /// Runs it to its end; called once. `on_progress` is called from another thread, but never after
  /// this has returned. Throws as ImageBuilder::build.
  BuildResult run(const OnProgress& on_progress);

  /// Makes `run` end soon, with an error; from any thread, at any time.
  void cancel();

 private:
  SessionContent make_content(const DockerfileSource& dockerfile) const;
  void read_status(const std::string& ref, const OnProgress& on_progress);
  grpc::Status solve(
      const std::string& dockerfile_name,
      const std::string& session,
      const OnProgress& on_progress,
      moby::buildkit::v1::SolveResponse& response);
  [[noreturn]] void fail(
      const grpc::Status& status,
      const std::string& dockerfile,
      const std::optional<Error>& own_failure) const;

  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<moby::buildkit::v1::Control::Stub> control_;
  BuildRequest request_;
  grpc::ClientContext solve_context_;
  grpc::ClientContext status_context_;
  std::atomic<bool> has_status_ = false;
  std::atomic<bool> is_session_lost_ = false;
  FailedVertices failed_;
};

}  // namespace freshet::engine
