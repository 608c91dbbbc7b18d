// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/buildkit/control_channel.hpp"

#include "freshet/engine/buildkit/wire_limits.hpp"

#include <grpcpp/create_channel_posix.h>
#include <grpcpp/support/channel_arguments.h>

namespace freshet::engine {

std::shared_ptr<grpc::Channel> make_control_channel(UniqueFd fd) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, k_max_metadata_bytes);
  arguments.SetMaxReceiveMessageSize(k_max_message_bytes);
  arguments.SetMaxSendMessageSize(k_max_message_bytes);
  return grpc::CreateCustomInsecureChannelFromFd("localhost", fd.release(), arguments);
}

Awaitable<std::shared_ptr<grpc::Channel>> open_control_channel(Ctx ctx, DockerClient& client) {
  std::optional<UniqueFd> fd = co_await client.upgrade_to_h2c(ctx, "/grpc");
  if (!fd) {
    fd = co_await client.connect_raw(ctx);
  }
  co_return make_control_channel(std::move(*fd));
}

}  // namespace freshet::engine
