// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/buildkit/session_server.hpp"

#include "freshet/engine/buildkit/wire_limits.hpp"

#include <fcntl.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_posix.h>

namespace freshet::engine {
namespace {

/// How long running calls may go on after the session was closed.
constexpr auto k_shutdown_grace = std::chrono::milliseconds(200);

}  // namespace

SessionServer::SessionServer(SessionContent content)
    : content_(std::move(content)), files_(content_, context_sent_, failure_), auth_(content_) {
  grpc::ServerBuilder builder;
  builder.RegisterService(&files_);
  builder.RegisterService(&auth_);
  builder.RegisterService(&health_);
  builder.SetMaxReceiveMessageSize(k_max_message_bytes);
  builder.SetMaxSendMessageSize(k_max_message_bytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, k_max_metadata_bytes);
  builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  server_ = builder.BuildAndStart();
  if (!server_) {
    throw Error(ErrorCode::internal, "the server for the build session did not start");
  }
}

SessionServer::~SessionServer() {
  // Without a deadline this would wait for a transfer that nobody continues.
  server_->Shutdown(std::chrono::system_clock::now() + k_shutdown_grace);
}

void SessionServer::serve(UniqueFd socket) {
  // gRPC expects it on this side, unlike on the client's: calls would stall without.
  ::fcntl(socket.get(), F_SETFL, ::fcntl(socket.get(), F_GETFL) | O_NONBLOCK);
  grpc::AddInsecureChannelFromFd(server_.get(), socket.release());
}

}  // namespace freshet::engine
