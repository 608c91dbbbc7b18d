// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"
#include "freshet/engine/docker/client.hpp"

#include <memory>

namespace grpc {
class Channel;
}

namespace freshet::engine {

/// Connects to the BuildKit of an engine: through the upgrade of `/grpc`, or by plain HTTP/2 where
/// the engine has that endpoint no more. The channel cannot reconnect: one channel, one build.
/// Throws: what DockerClient throws.
Awaitable<std::shared_ptr<grpc::Channel>> open_control_channel(Ctx ctx, DockerClient& client);

/// The same over a connected socket.
std::shared_ptr<grpc::Channel> make_control_channel(UniqueFd fd);

}  // namespace freshet::engine
