// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/files.hpp"
#include "freshet/oci/digest.hpp"
#include "freshet/oci/layers/produced_stream.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace freshet::engine {

/// Where an engine keeps a layer: the files, and how its archive is made of them.
struct StoredLayer {
  oci::Digest diff_id;
  fs::path files;
  fs::path tar_split;
};

/// An image in the storage of an engine.
struct StoredImage {
  std::string config;  // byte for byte
  std::vector<StoredLayer> layers;  // lowest first
};

/// Finds an image in an engine's own storage, driver `overlay2`, below `root` (`DockerRootDir`).
/// Blocks on the disk. Throws when it is not all there, cannot be read or is not what it should be:
/// not_found, forbidden, too_large, corrupt_data.
/// Source: github.com/moby/moby, packages image, layer and daemon/graphdriver/overlay2.
StoredImage load_stored_image(
    const fs::path& root, const oci::Digest& image_id, const std::vector<oci::Digest>& diff_ids);

/// What `errno` says of a file of the engine's that could not be opened or read: not_found,
/// forbidden, else corrupt_data.
Error engine_file_error(std::string_view path);

/// Puts the layer's archive together, byte for byte as it once came. Blocks on the disk. Files are
/// read below `layer.files` only: nothing there, and no name, leads out of it.
/// Throws not_found, forbidden, corrupt_data; that the bytes are right shows their digest alone.
void write_archive(const StoredLayer& layer, oci::ProducerSink& sink);

}  // namespace freshet::engine
