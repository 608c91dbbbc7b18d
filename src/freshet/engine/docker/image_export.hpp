// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/docker/client.hpp"
#include "freshet/oci/copy/image_source.hpp"

#include <boost/asio/thread_pool.hpp>

#include <memory>
#include <string>
#include <vector>

namespace freshet::engine {

/// An image by the engine's export: works with every engine, wherever it is.
///
/// Both layouts are understood, that of `docker save` and the OCI image layout, there with layers
/// compressed or not. Each call exports the image once, a second time only from an engine whose
/// layout does not tell beforehand which layer comes. `config` costs nothing after `visit_layers`.
/// Source: Docker Engine API, `GET /images/{name}/get`; OCI Image Spec 1.1, "Image Layout".
///
/// `image_id` is `sha256:…`; `client` and `pool` outlive it.
std::unique_ptr<oci::ImageSource> make_export_source(
    DockerClient& client,
    asio::thread_pool& pool,
    std::string image_id,
    std::vector<oci::Digest> diff_ids);

}  // namespace freshet::engine
