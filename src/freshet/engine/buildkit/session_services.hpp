// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/buildkit/builder.hpp"
#include "freshet/engine/buildkit/diff_copy.hpp"
#include "freshet/engine/buildkit/proto/filesync.grpc.pb.h"
#include "freshet/engine/buildkit/proto/health.grpc.pb.h"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace freshet::engine {

/// What a build's session offers to the builder.
struct SessionContent {
  std::map<std::string, std::shared_ptr<const FileTree>> trees;  // by `dir-name`
  CredentialSource credentials;  // may be empty
};

/// Keeps the first failure on our side: the builder only says that a transfer was cancelled.
class FirstFailure {
 public:
  void set(Error error);
  std::optional<Error> get() const;

 private:
  mutable std::mutex mutex_;
  std::optional<Error> failure_;
};

/// Sends the trees; several calls may run at once.
class FileSyncService final : public moby::filesync::v1::FileSync::Service {
 public:
  FileSyncService(const SessionContent& content, TransferCount& context_sent, FirstFailure& failure)
      : content_(content), context_sent_(context_sent), failure_(failure) {}

  grpc::Status DiffCopy(
      grpc::ServerContext* context,
      grpc::ServerReaderWriter<fsutil::types::Packet, fsutil::types::Packet>* stream) override;

 private:
  const SessionContent& content_;
  TransferCount& context_sent_;
  TransferCount other_sent_;
  FirstFailure& failure_;
};

/// Hands out credentials. The daemon talks to the token servers itself.
class AuthService final : public moby::filesync::v1::Auth::Service {
 public:
  explicit AuthService(const SessionContent& content) : content_(content) {}

  grpc::Status Credentials(
      grpc::ServerContext* context,
      const moby::filesync::v1::CredentialsRequest* request,
      moby::filesync::v1::CredentialsResponse* response) override;

 private:
  const SessionContent& content_;
};

class HealthService final : public grpc::health::v1::Health::Service {
 public:
  grpc::Status Check(
      grpc::ServerContext* context,
      const grpc::health::v1::HealthCheckRequest* request,
      grpc::health::v1::HealthCheckResponse* response) override;
};

/// The filter in the metadata of a DiffCopy call. Newer daemons escape values like a URL query when
/// one of them is not ASCII, and say so by `<key>-encoded`.
FileFilter filter_from(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata);

/// The name under which credentials for `host` (as the daemon calls it) are kept.
std::string registry_of(std::string_view host);

}  // namespace freshet::engine
