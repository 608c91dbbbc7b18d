// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"
#include "freshet/base/files.hpp"
#include "freshet/base/secret.hpp"
#include "freshet/engine/docker/endpoint.hpp"
#include "freshet/engine/docker/types.hpp"
#include "freshet/net/byte_stream.hpp"

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace freshet::engine {

/// The Docker Engine API, version-negotiated, over a unix socket, TCP or TCP+TLS.
///
/// Every call opens or reuses a connection of its own, so calls may run side by side. Names, ids
/// and references are passed through as given. All calls are cancellable and honour `ctx`.
/// Throws: unavailable (no engine, it went away), forbidden (no permission for the socket),
/// not_found, conflict, upstream_denied (the engine refused; its message is quoted),
/// deadline_exceeded.
/// Source: Docker Engine API 1.41 (engine 20.10) and later.
class DockerClient {
 public:
  using Socket = asio::generic::stream_protocol::socket;

  DockerClient(asio::any_io_executor executor, Endpoint endpoint);
  ~DockerClient();
  DockerClient(const DockerClient&) = delete;
  DockerClient& operator=(const DockerClient&) = delete;

  const Endpoint& endpoint() const;
  /// Closes what is kept open for the next call. To be called at the end of all work: with TLS such
  /// a connection is something that the executor waits for.
  void close_idle_connections();

  /// Agrees on the newest API version that both sides speak; called implicitly by the first call.
  Awaitable<EngineVersion> negotiate(Ctx ctx);
  Awaitable<EngineInfo> info(Ctx ctx);

  Awaitable<std::string> create_container(Ctx ctx, ContainerSpec spec);  // returns its id
  /// Streams the container's output from its creation on: attach before `start_container`, and read
  /// while it runs, for a container whose output nobody takes stands still after some 100 KB.
  Awaitable<std::unique_ptr<ContainerOutput>> attach(Ctx ctx, std::string container);
  Awaitable<void> start_container(Ctx ctx, std::string container);
  /// Waits for the exit of a created, running or just ended container and returns its exit code.
  /// May be called before, beside or after `start_container`: no exit is missed. Where the start
  /// fails, it waits until the container's removal.
  Awaitable<int> wait_for_exit(Ctx ctx, std::string container);
  Awaitable<void> kill_container(Ctx ctx, std::string container, std::string signal);
  /// Removes it with its anonymous volumes, running or not; absent is success.
  Awaitable<void> remove_container(Ctx ctx, std::string container);
  Awaitable<std::vector<LabelledObject>> list_containers(Ctx ctx, std::string label);

  Awaitable<void> create_volume(Ctx ctx, VolumeSpec spec);
  Awaitable<void> remove_volume(Ctx ctx, std::string volume);  // absent is success
  Awaitable<std::vector<LabelledObject>> list_volumes(Ctx ctx, std::string label);
  Awaitable<void> remove_network(Ctx ctx, std::string network);  // absent is success
  Awaitable<std::vector<LabelledObject>> list_networks(Ctx ctx, std::string label);

  /// nullopt when the engine does not have it.
  Awaitable<std::optional<ImageDetails>> find_image(Ctx ctx, std::string image);
  /// Ids of images whose configuration is said to have that digest; only BuildKit notes it, and
  /// only where ids are those of manifests (API 1.48).
  Awaitable<std::vector<std::string>> list_images_of(Ctx ctx, std::string config_digest);
  Awaitable<std::vector<ImageHistoryEntry>> image_history(
      Ctx ctx, std::string image);  // oldest first
  /// The image as a tar archive, as `docker save` gives it, while the engine makes it. `ctx` bounds
  /// the reading, too; the client outlives the stream.
  Awaitable<std::unique_ptr<net::ByteStream>> export_image(Ctx ctx, std::string image);
  Awaitable<void> tag_image(Ctx ctx, std::string image, std::string repository, std::string tag);
  /// Takes a name off an image; the image goes with its last one. Absent is success.
  Awaitable<void> remove_image_name(Ctx ctx, std::string repository, std::string tag);
  /// Makes an image of one layer, the uncompressed archive `tar`, under the name `repository:tag`;
  /// `changes` are instructions of a Dockerfile that need no build, such as `LABEL a=b`.
  Awaitable<void> import_image(
      Ctx ctx,
      std::string tar,
      std::string repository,
      std::string tag,
      std::vector<std::string> changes);
  /// Gives the engine the images of an archive in the form of `docker save`, `size_bytes` long,
  /// with their names. The engine checks every layer against the image's configuration, and has
  /// nothing new when the archive was wrong or what its `read` threw ended it.
  Awaitable<void> load_images(Ctx ctx, net::ByteStream& archive, std::uint64_t size_bytes);
  /// Pulls `reference` (with a tag or digest). `on_progress` gets one line per event worth reading.
  Awaitable<void> pull_image(
      Ctx ctx, std::string reference, std::optional<RegistryAuth> auth, ProgressLine on_progress);
  /// Pushes one tag and returns the digest under which the registry has it. The registry's own
  /// words are quoted in the error: upstream_denied (credentials, rights), unavailable (down,
  /// HTTP 5xx), too_large, or unavailable for a full disk (HTTP 500/507).
  Awaitable<PushedImage> push_image(
      Ctx ctx,
      std::string repository,
      std::string tag,
      std::optional<RegistryAuth> auth,
      ProgressLine on_progress);

  /// Upgrades a new connection (`POST path`, `Upgrade: h2c`) and returns its bare descriptor, with
  /// nothing read beyond the blank line of the answer. nullopt when the engine answers 404.
  Awaitable<std::optional<UniqueFd>> upgrade_to_h2c(Ctx ctx, std::string path);
  /// A plain new connection to the engine as a descriptor, for HTTP/2 without upgrade.
  Awaitable<UniqueFd> connect_raw(Ctx ctx);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace freshet::engine
