// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/buildkit/image_config.hpp"

#include "freshet/base/ids.hpp"
#include "freshet/engine/buildkit/blocking_call.hpp"
#include "freshet/engine/buildkit/control_channel.hpp"
#include "freshet/engine/buildkit/owned_thread.hpp"
#include "freshet/engine/buildkit/proto/control.grpc.pb.h"
#include "freshet/engine/buildkit/proto/gateway.grpc.pb.h"

#include <fmt/format.h>
#include <grpcpp/channel.h>

namespace freshet::engine {
namespace {

/// A build without a definition waits for a frontend at the other end of the connection, which is
/// known by this header.
constexpr const char* k_build_header = "buildkit-controlapi-buildid";

/// The question and the build in which it is asked, in blocking calls.
class ConfigCall {
 public:
  ConfigCall(std::shared_ptr<grpc::Channel> channel, Ctx ctx)
      : control_(moby::buildkit::v1::Control::NewStub(channel)),
        bridge_(moby::buildkit::v1::frontend::LLBBridge::NewStub(channel)) {
    const auto deadline = std::chrono::system_clock::now() +
                          std::chrono::duration_cast<std::chrono::system_clock::duration>(
                              ctx.deadline - Ctx::Clock::now());
    build_.set_deadline(deadline);
    question_.set_deadline(deadline);
  }

  std::string run(const std::string& name) {
    const std::string id = make_id();
    OwnedThread build([&] { solve(id); });
    question_.AddMetadata(k_build_header, id);
    moby::buildkit::v1::frontend::ResolveImageConfigRequest request;
    request.set_ref(name);
    request.set_resolve_mode("local");
    request.set_log_name("image configuration");
    moby::buildkit::v1::frontend::ResolveImageConfigResponse response;
    const grpc::Status status = bridge_->ResolveImageConfig(&question_, request, &response);
    build_.TryCancel();  // it has nothing to build
    if (!status.ok()) {
      throw Error(
          ErrorCode::unavailable,
          fmt::format("the builder does not tell the configuration of image '{}'", name))
          .with_remote_text(status.error_message());
    }
    return std::move(*response.mutable_config());
  }

  void cancel() {
    question_.TryCancel();
    build_.TryCancel();
  }

 private:
  void solve(const std::string& id) {
    moby::buildkit::v1::SolveRequest request;
    request.set_ref(id);
    moby::buildkit::v1::SolveResponse response;
    // Its end says nothing: it is cancelled.
    control_->Solve(&build_, request, &response);
  }

  std::unique_ptr<moby::buildkit::v1::Control::Stub> control_;
  std::unique_ptr<moby::buildkit::v1::frontend::LLBBridge::Stub> bridge_;
  grpc::ClientContext build_;
  grpc::ClientContext question_;
};

}  // namespace

Awaitable<std::string> read_image_config(Ctx ctx, DockerClient& client, std::string name) {
  const auto channel = co_await open_control_channel(ctx, client);
  const auto call = std::make_shared<ConfigCall>(channel, ctx);
  const auto config = std::make_shared<std::string>();
  auto work = [call, config, name](const Post&) { *config = call->run(name); };
  auto interrupt = [call] { call->cancel(); };
  co_await run_blocking(std::move(work), std::move(interrupt));
  co_return std::move(*config);
}

}  // namespace freshet::engine
