// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/docker/client.hpp"
#include "freshet/engine/docker/packed_image.hpp"
#include "freshet/oci/copy/image_source.hpp"

#include <boost/asio/thread_pool.hpp>

#include <memory>

namespace freshet::engine {

/// An image by the export of an engine with containerd's image store, wherever that is: an OCI
/// image layout whose blobs are those that registries have.
///
/// Blobs come in an order of their own, so the image is exported once to find its manifest, and
/// once more by each visit. `client` and `pool` outlive it.
/// Source: Docker Engine API, `GET /images/{name}/get`; OCI Image Spec 1.1, "Image Layout".
std::unique_ptr<oci::ImageSource> make_packed_export_source(
    DockerClient& client, asio::thread_pool& pool, WantedImage image);

}  // namespace freshet::engine
