// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/files.hpp"
#include "freshet/engine/buildkit/session_services.hpp"

#include <grpcpp/server.h>

namespace freshet::engine {

/// The gRPC server that a builder calls back, over one given socket and without any port.
class SessionServer {
 public:
  explicit SessionServer(SessionContent content);
  /// Blocks until running calls ended; they are cut off after a moment.
  ~SessionServer();
  SessionServer(const SessionServer&) = delete;
  SessionServer& operator=(const SessionServer&) = delete;

  /// Serves the client at the other end of `socket`.
  void serve(UniqueFd socket);

  const TransferCount& context_sent() const { return context_sent_; }
  /// The first thing that went wrong on our side of the session.
  std::optional<Error> failure() const { return failure_.get(); }

 private:
  SessionContent content_;
  TransferCount context_sent_;
  FirstFailure failure_;
  FileSyncService files_;
  AuthService auth_;
  HealthService health_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace freshet::engine
