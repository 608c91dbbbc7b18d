// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/files.hpp"
#include "freshet/engine/buildkit/owned_thread.hpp"
#include "freshet/engine/buildkit/proto/control.grpc.pb.h"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace freshet::engine {

/// The builder's way back into this process: the bytes of an inner HTTP/2 connection, carried by
/// one `Control.Session` call.
/// Source: BuildKit's control API, "Session"; message boundaries mean nothing.
class Tunnel {
 public:
  struct Identity {
    std::string id;
    std::string shared_key;  // printable ASCII
    std::vector<std::string> methods;  // served ones, `/package.Service/Method`
  };

  /// `on_lost` is called, once and from another thread, when the other side ends the tunnel.
  Tunnel(
      moby::buildkit::v1::Control::StubInterface& control,
      const Identity& identity,
      std::function<void()> on_lost);
  /// Closes the tunnel; takes a bounded time, even when the other side is dead.
  ~Tunnel();
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

  /// The end for the inner server; taken once.
  UniqueFd take_inner_end() { return std::move(inner_); }

 private:
  using Message = moby::buildkit::v1::BytesMessage;

  void pump_up();
  void pump_down();

  std::function<void()> on_lost_;
  std::atomic<bool> is_closing_ = false;
  UniqueFd inner_;
  UniqueFd outer_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriterInterface<Message, Message>> stream_;
  OwnedThread up_;
  OwnedThread down_;
};

}  // namespace freshet::engine
