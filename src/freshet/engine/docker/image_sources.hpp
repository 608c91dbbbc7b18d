// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/docker/client.hpp"
#include "freshet/engine/docker/image_store.hpp"
#include "freshet/oci/copy/image_source.hpp"

#include <boost/asio/thread_pool.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace freshet::engine {

/// Other ways to an image than its storage and its export.
struct ReadingOptions {
  /// The configuration of an image, byte for byte, by a name in the engine (`read_image_config`).
  /// Without it only the export is used where the storage cannot be read.
  std::function<Awaitable<std::string>(Ctx ctx, std::string name)> read_config;
  /// Gets a line for the user: which way is taken, and why. May be null.
  std::function<void(std::string_view line)> say;
};

/// An image of the engine by the fastest way there is: its storage, where that is on this machine
/// and may be read, else a hand-over of the missing layers or its export. Where the storage turns
/// out to be unusable, even in the middle of a layer, the rest is taken the other way.
///
/// An engine with containerd's image store has what registries have, and so the source has a
/// manifest; other engines keep the layers' archives alone.
///
/// `image` is an id or a name; `client` and `pool` outlive the source. Throws: not_found, and what
/// the client throws.
Awaitable<std::unique_ptr<oci::ImageSource>> make_image_source(
    Ctx ctx,
    DockerClient& client,
    asio::thread_pool& pool,
    std::string image,
    ReadingOptions options = {});

/// The digest of the image's configuration, however the engine names it. With containerd's image
/// store it may take reading all of the image's export.
Awaitable<std::string> find_config_digest(
    Ctx ctx, DockerClient& client, asio::thread_pool& pool, std::string image);

/// The engine's id of the image with that configuration. Throws: not_found.
Awaitable<std::string> get_image_by_config(
    Ctx ctx, DockerClient& client, asio::thread_pool& pool, std::string config_digest);

/// An image by an engine's storage.
std::unique_ptr<oci::ImageSource> make_storage_source(StoredImage image);

/// `first`, and `second` for those layers that it does not give.
std::unique_ptr<oci::ImageSource> make_fallback_source(
    std::unique_ptr<oci::ImageSource> first, std::unique_ptr<oci::ImageSource> second);

}  // namespace freshet::engine
