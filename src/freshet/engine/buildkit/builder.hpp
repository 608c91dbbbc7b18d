// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"
#include "freshet/base/files.hpp"
#include "freshet/engine/buildkit/progress.hpp"
#include "freshet/engine/docker/client.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace freshet::engine {

/// The Dockerfile of a build: a file (inside or outside the context) or its text.
struct DockerfilePath {
  fs::path path;  // absolute
  /// Sent in place of what the file says; its ignore file holds all the same.
  std::optional<std::string> text = std::nullopt;
};
struct DockerfileText {
  std::string text;
};

/// Asked from several threads, once or more per registry host, whenever a registry wants to know
/// who pulls. `host` is as in `host[:port]/…`, Docker Hub is `docker.io`. Must not block for long.
using CredentialSource = std::function<std::optional<RegistryAuth>(std::string_view host)>;

struct BuildRequest {
  fs::path context_directory;  // absolute; links inside are sent as links, never followed out of it
  std::variant<DockerfilePath, DockerfileText> dockerfile;
  std::string target;  // empty: the last stage
  std::vector<std::pair<std::string, std::string>> build_arguments;
  std::vector<std::pair<std::string, std::string>> labels;
  bool no_cache = false;
  /// Images of registries, by digest, whose layers are taken where the instruction is the same. One
  /// that cannot be had is left out by the builder, once its registry has said so.
  std::vector<std::string> cache_sources;
  /// Puts into the image's configuration what later builds need to take its layers. Nothing else
  /// of the image changes.
  bool exports_inline_cache = false;
  /// Stable name of this source tree: the builder keeps a copy under it and asks only for what
  /// changed.
  std::string source_key;
  CredentialSource credentials;
};

struct BuildResult {
  std::string image_id;  // `sha256:…`, as the engine names it (`ImageDetails::id`)
  std::string config_digest;  // `sha256:…` of its configuration
  std::uint64_t context_bytes_sent = 0;
  std::uint64_t context_files_sent = 0;
};

/// A build that BuildKit ran and that did not succeed.
class BuildFailed : public Error {
 public:
  BuildFailed(Error error, std::string vertex_name, std::optional<int> exit_code)
      : Error(std::move(error)), vertex_name_(std::move(vertex_name)), exit_code_(exit_code) {}

  /// Name of the failed vertex, e.g. `[2/4] RUN make`; empty when none did (parse error and such).
  const std::string& vertex_name() const { return vertex_name_; }
  /// Of the failed RUN, when it was one.
  std::optional<int> exit_code() const { return exit_code_; }

 private:
  std::string vertex_name_;
  std::optional<int> exit_code_;
};

/// Builds images by the BuildKit inside a Docker engine: gRPC over a hijacked `/grpc` (or plain
/// HTTP/2 where that is gone), with a session tunnelled through `Control.Session` that serves the
/// context, the Dockerfile and credentials.
/// Source: shared protocol definitions of BuildKit (moby.buildkit.v1, moby.filesync.v1, fsutil).
class ImageBuilder {
 public:
  explicit ImageBuilder(DockerClient& client) : client_(client) {}

  /// Builds into the engine's image store, untagged. `on_progress` is called on the caller's
  /// executor. Cancelling stops the build at the builder.
  /// Throws: BuildFailed, unavailable (engine went away), unsupported (no BuildKit).
  Awaitable<BuildResult> build(Ctx ctx, BuildRequest request, ProgressSink on_progress);

  /// Throws unsupported when the engine has no BuildKit; for `freshet doctor`.
  Awaitable<void> probe(Ctx ctx);

 private:
  DockerClient& client_;
};

}  // namespace freshet::engine
