// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/docker/client.hpp"
#include "freshet/engine/docker/image_sources.hpp"
#include "freshet/oci/copy/image_source.hpp"

#include <boost/asio/thread_pool.hpp>

#include <memory>

namespace freshet::engine {

/// An image whose storage cannot be read from here: a few small layers at the top of a large image
/// are handed over by the engine, which is made to push them to this process; the rest is exported.
///
/// An export costs the engine the writing of the whole image, whatever is wanted of it; a push
/// begins with the upper layers, and ends when this has them. Which is less, sizes tell beforehand
/// (`image_reading.hpp`). What goes wrong with it is made good by the export. The configuration
/// comes from `options.read_config`, so that an image of which nothing is missing is not exported.
///
/// `image.id` is `sha256:…` of the configuration; `client` and `pool` outlive it.
std::unique_ptr<oci::ImageSource> make_handover_source(
    DockerClient& client,
    asio::thread_pool& pool,
    ImageDetails image,
    ReadingOptions options,
    std::unique_ptr<oci::ImageSource> exported);

}  // namespace freshet::engine
