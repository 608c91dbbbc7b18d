// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/buildkit/session_server.hpp"
#include "freshet/engine/buildkit/tunnel.hpp"

namespace freshet::engine {

/// One build's session: the inner server and the tunnel that leads to it.
class Session {
 public:
  Session(
      moby::buildkit::v1::Control::StubInterface& control,
      SessionContent content,
      std::string id,
      const std::string& source_key,
      std::function<void()> on_lost);

  const std::string& id() const { return id_; }
  const SessionServer& server() const { return server_; }

 private:
  std::string id_;
  SessionServer server_;  // outlives the tunnel: calls end when their connection does
  Tunnel tunnel_;
};

}  // namespace freshet::engine
