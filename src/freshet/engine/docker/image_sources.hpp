// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/docker/client.hpp"
#include "freshet/engine/docker/image_store.hpp"
#include "freshet/oci/copy/image_source.hpp"

#include <boost/asio/thread_pool.hpp>

#include <memory>
#include <string>

namespace freshet::engine {

/// An image of the engine by the fastest way there is: its storage, where that is on this machine
/// and may be read, else its export. Where the storage turns out to be unusable, even in the middle
/// of a layer, the rest is taken from the export.
///
/// `image` is an id or a name; `client` and `pool` outlive the source. Throws: not_found, and what
/// the client throws.
Awaitable<std::unique_ptr<oci::ImageSource>> make_image_source(
    Ctx ctx, DockerClient& client, asio::thread_pool& pool, std::string image);

/// An image by an engine's storage.
std::unique_ptr<oci::ImageSource> make_storage_source(StoredImage image);

/// `first`, and `second` for those layers that it does not give.
std::unique_ptr<oci::ImageSource> make_fallback_source(
    std::unique_ptr<oci::ImageSource> first, std::unique_ptr<oci::ImageSource> second);

}  // namespace freshet::engine
