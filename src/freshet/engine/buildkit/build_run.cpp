// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/buildkit/build_run.hpp"

#include "freshet/base/ids.hpp"
#include "freshet/engine/buildkit/build_error.hpp"
#include "freshet/engine/buildkit/owned_thread.hpp"
#include "freshet/engine/buildkit/session.hpp"
#include "freshet/engine/buildkit/session_id.hpp"
#include "freshet/engine/buildkit/solve_request.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

namespace freshet::engine {
namespace {

/// How long the progress may go on after the build's end. A build that was refused before it was
/// registered has none, and the daemon would let us wait for it.
constexpr auto k_status_grace = std::chrono::seconds(3);
constexpr auto k_status_grace_without_any = std::chrono::milliseconds(200);

/// The first of `keys` that the engine answers with.
std::string value_of(
    const moby::buildkit::v1::SolveResponse& response, std::initializer_list<const char*> keys) {
  const auto& values = response.exporter_response();
  for (const char* key : keys) {
    if (const auto found = values.find(key); found != values.end()) {
      return found->second;
    }
  }
  throw Error(ErrorCode::upstream_denied, "the Docker engine built the image and did not name it");
}

constexpr const char* k_image = "containerimage.digest";
constexpr const char* k_config = "containerimage.config.digest";

/// Tells equal trees apart that two builds may read at the same time, empty ones included.
std::string identity_of(const fs::path& directory) {
  struct stat status {};
  ::stat(directory.c_str(), &status);  // its absence is told when it is read
  return fmt::format(":{}:{}", status.st_dev, status.st_ino);
}

}  // namespace

BuildRun::BuildRun(std::shared_ptr<grpc::Channel> channel, BuildRequest request)
    : channel_(std::move(channel)),
      control_(moby::buildkit::v1::Control::NewStub(channel_)),
      request_(std::move(request)) {}

void BuildRun::cancel() {
  solve_context_.TryCancel();
}

SessionContent BuildRun::make_content(const DockerfileSource& dockerfile) const {
  SessionContent content;
  content.trees["dockerfile"] = dockerfile.tree;
  content.trees["context"] = std::make_shared<DirectoryTree>(request_.context_directory);
  content.credentials = request_.credentials;
  return content;
}

BuildResult BuildRun::run(const OnProgress& on_progress) {
  const DockerfileSource dockerfile = load_dockerfile(request_);
  const std::string key =
      request_.source_key.empty() ? request_.context_directory.string() : request_.source_key;
  SessionContent content = make_content(dockerfile);
  const std::string id = find_session_id(
      std::chrono::system_clock::now(),
      key + identity_of(request_.context_directory),
      dockerfile,
      *content.trees.at("context"));
  Session session(*control_, std::move(content), id, key, [this] {
    is_session_lost_ = true;
    solve_context_.TryCancel();  // the builder would only notice at its next need of a file
  });
  moby::buildkit::v1::SolveResponse response;
  const grpc::Status status = solve(dockerfile.file_name, session.id(), on_progress, response);
  if (!status.ok()) {
    fail(status, dockerfile.label, session.server().failure());
  }
  BuildResult result;
  // With containerd's image store the first is the manifest's; otherwise both are the same, or the
  // engine sends one alone.
  result.image_id = value_of(response, {k_image, k_config});
  result.config_digest = value_of(response, {k_config, k_image});
  result.context_bytes_sent = session.server().context_sent().bytes;
  result.context_files_sent = session.server().context_sent().files;
  return result;
}

grpc::Status BuildRun::solve(
    const std::string& dockerfile_name,
    const std::string& session,
    const OnProgress& on_progress,
    moby::buildkit::v1::SolveResponse& response) {
  const std::string ref = make_id();
  const auto request = make_solve_request(request_, dockerfile_name, ref, session);
  OwnedThread status_reader([&] { read_status(ref, on_progress); });
  const grpc::Status status = control_->Solve(&solve_context_, request, &response);
  const bool has_progress = status.ok() || has_status_;
  if (!status_reader.has_ended_within(has_progress ? k_status_grace : k_status_grace_without_any)) {
    status_context_.TryCancel();
  }
  return status;
}

void BuildRun::read_status(const std::string& ref, const OnProgress& on_progress) {
  moby::buildkit::v1::StatusRequest request;
  request.set_ref(ref);
  const auto reader = control_->Status(&status_context_, request);
  moby::buildkit::v1::StatusResponse response;
  while (reader->Read(&response)) {
    has_status_ = true;
    ProgressUpdate update = to_progress(response);
    failed_.note(update);
    on_progress(std::move(update));
  }
  // Its end says nothing: what became of the build is Solve's answer.
  reader->Finish();
}

void BuildRun::fail(
    const grpc::Status& status,
    const std::string& dockerfile,
    const std::optional<Error>& own_failure) const {
  if (own_failure) {
    throw BuildFailed(*own_failure, "", std::nullopt);
  }
  if (is_session_lost_) {
    throw Error(ErrorCode::unavailable, "the Docker engine went away during the build")
        .with_remote_text(status.error_message());
  }
  SolveFailure failure;
  failure.status_code = status.error_code();
  failure.message = status.error_message();
  failure.details = parse_failure_details(status.error_details());
  failure.dockerfile = dockerfile;
  const auto vertex = failed_.find(failure.details.vertex_digest, failure.message);
  failure.vertex_name = vertex.name;
  failure.vertex_error = vertex.error;
  throw_solve_failure(failure);
}

}  // namespace freshet::engine
