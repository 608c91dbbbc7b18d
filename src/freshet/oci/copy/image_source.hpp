// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/byte_stream.hpp"
#include "freshet/oci/descriptor.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace freshet::oci {

/// An image outside any registry, as its layers' uncompressed archives: what an engine has.
class ImageSource {
 public:
  /// Gets one layer. `index` counts from the lowest, from 0. The stream must be read to its end and
  /// destroyed before the visitor returns. What its `read` throws must leave the visitor, which may
  /// then get the same layer again, from its start: a source may have another way to the bytes.
  using Visitor =
      std::function<Awaitable<void>(std::size_t index, std::unique_ptr<net::ByteStream> tar)>;

  virtual ~ImageSource() = default;

  /// Lowest first; an archive that occurs twice is listed twice.
  virtual const std::vector<Digest>& diff_ids() const = 0;
  /// The image's configuration, byte for byte. It may cost as much as all layers together; after
  /// `visit_layers` it costs nothing.
  virtual Awaitable<std::string> config(Ctx ctx) = 0;
  /// Visits each wanted layer once (of equal ones only the first), in an order of the source's
  /// choice; several at once where it has them at hand. What `visit` throws ends it. The bytes are
  /// verified against their diff id: corrupt_data is thrown, at the end of the layer, when they
  /// differ.
  virtual Awaitable<void> visit_layers(Ctx ctx, std::set<std::size_t> wanted, Visitor visit) = 0;
  /// The manifest under which the source itself keeps the image, compressed layers and all, where
  /// it does; it may cost as much as all layers together.
  virtual Awaitable<std::optional<Manifest>> manifest(Ctx) { co_return std::nullopt; }
  /// As `visit_layers`, with the layers' blobs as `manifest` names them instead of the archives.
  /// Called only when there is a manifest. The bytes are verified against the blobs' digests.
  virtual Awaitable<void> visit_blobs(Ctx, std::set<std::size_t>, Visitor) { co_return; }
  /// For progress and messages: `storage of the engine`, `export by the engine`.
  virtual std::string_view name() const = 0;
};

}  // namespace freshet::oci
