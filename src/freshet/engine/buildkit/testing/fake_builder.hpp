// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/buildkit/session_server.hpp"

#include <grpcpp/client_context.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace freshet::engine {

/// Plays the builder's part of a session: calls our services over a socket pair.
class FakeBuilder {
 public:
  using Packet = fsutil::types::Packet;
  using Metadata = std::vector<std::pair<std::string, std::string>>;

  /// One DiffCopy call.
  class Transfer {
   public:
    Transfer(moby::filesync::v1::FileSync::Stub& stub, const Metadata& metadata);

    /// The next packet as text: `STAT a/x`, `STAT`, `DATA 1 abc`, `DATA 1`, `FIN`, `ERR text`,
    /// or `end` when the call is over.
    std::string next();
    /// Reads up to and including the end of the listing and returns the paths.
    std::vector<std::string> listing();
    /// Reads the data of one file; fails on packets of any other.
    std::string data(std::uint32_t id);
    bool read(Packet& packet) { return stream_->Read(&packet); }

    void request(std::uint32_t id);
    void finish_files();
    void refuse(const std::string& reason);
    void hang_up() { context_.TryCancel(); }
    grpc::Status status() { return stream_->Finish(); }

   private:
    void write(const Packet& packet) { stream_->Write(packet); }

    grpc::ClientContext context_;
    std::unique_ptr<grpc::ClientReaderWriterInterface<Packet, Packet>> stream_;
  };

  explicit FakeBuilder(SessionContent content);

  /// `metadata` beside the name of the directory.
  Transfer sync(const std::string& directory, Metadata metadata = {});
  /// User and secret joined by a colon, or the gRPC error.
  std::string credentials(const std::string& host);
  bool is_healthy();

  SessionServer& server() { return *server_; }
  /// Closes the session while calls may be running.
  void close_server() { server_.reset(); }

 private:
  std::unique_ptr<SessionServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<moby::filesync::v1::FileSync::Stub> files_;
};

}  // namespace freshet::engine
