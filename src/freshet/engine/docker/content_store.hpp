// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/files.hpp"
#include "freshet/engine/docker/packed_image.hpp"
#include "freshet/oci/copy/image_source.hpp"

#include <boost/asio/thread_pool.hpp>

#include <memory>
#include <vector>

namespace freshet::engine {

/// An image in a content store of containerd's.
struct ContentImage {
  fs::path blobs;  // the folder of the blobs, which have their digests' hexadecimal for names
  PackedImage image;
};

/// Where the content store of an engine with this root directory may be: that of the containerd
/// which the engine starts itself, and that of the machine's.
std::vector<fs::path> content_stores(const fs::path& engine_root);

/// Finds an image with all its layers in the first of `stores` that has it. Blocks on the disk.
/// Throws when none has it or it cannot be read: not_found, forbidden, too_large, corrupt_data.
/// Source: github.com/containerd/containerd, plugins/content/local.
ContentImage load_content_image(const std::vector<fs::path>& stores, const WantedImage& wanted);

/// The image of the store: its blobs as they are, and its layers unpacked on `pool`, which outlives
/// it. Every byte is verified.
std::unique_ptr<oci::ImageSource> make_content_source(
    ContentImage image, std::vector<oci::Digest> diff_ids, asio::thread_pool& pool);

}  // namespace freshet::engine
