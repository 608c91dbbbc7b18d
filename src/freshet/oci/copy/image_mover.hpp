// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/files.hpp"
#include "freshet/oci/copy/image_source.hpp"
#include "freshet/oci/copy/layer_memory.hpp"
#include "freshet/oci/distribution/client.hpp"
#include "freshet/oci/layers/compression.hpp"

#include <boost/asio/thread_pool.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace freshet::oci {

/// A repository of a registry.
struct Place {
  std::shared_ptr<RegistryClient> registry;
  std::string repository;

  std::string name() const { return registry->domain() + "/" + repository; }
};

struct CopyOptions {
  /// Of an index: the whole of it, byte for byte, instead of only the image for `platform`.
  bool all_platforms = true;
  std::string platform = "linux/amd64";  // os/architecture[/variant]
  /// Signatures, attestations and whatever else refers to the image, too.
  bool referrers = false;
};

struct PushOptions {
  Compression compression = Compression::gzip;
  /// Other places that may have the layers already: blobs are mounted or copied from there.
  std::vector<Place> neighbours;
};

/// What moving an image took. Each blob counts once, the configuration is one of them.
struct MoveCounts {
  int blobs_present = 0;  // were there already
  int blobs_mounted = 0;
  int blobs_copied = 0;  // from another registry
  int blobs_uploaded = 0;  // from an engine, and what had been read before, as configurations
  std::uint64_t bytes_sent = 0;  // of blobs
  int referrers = 0;  // that the target has now
};

struct MoveReport : MoveCounts {
  Descriptor manifest;  // as it is at the target
};

/// A failure of a copy that is the target's: another source would not have helped.
class TargetFailure : public Error {
 public:
  explicit TargetFailure(const Error& failure) : Error(failure) {}
};

/// Moves images between registries, and from engines to registries, each blob by the cheapest way:
/// there already, mounted from another repository of the registry, copied, uploaded.
///
/// A manifest is written only after all that it names, and the tags last, the same manifest for
/// each: a target never shows a half image. Uploads of one blob to one repository happen once at a
/// time, whoever asks. Memory is bounded whatever the size of the image. Calls may interleave on
/// one executor.
/// Throws what `RegistryClient` throws, conflict when the registry does not let a tag move. A
/// failure leaves blobs behind, never a tag at half an image; of several tags those before the
/// failing one are moved.
class ImageMover {
 public:
  /// One line per event worth reading, e.g. `sha256:… mounted from team/base`.
  using ProgressLine = std::function<void(std::string_view line)>;

  /// `pool` and `memory` outlive it. Programs that name the same `locks`, a directory, do not
  /// upload the same to the same repository at once.
  ImageMover(asio::thread_pool& pool, LayerMemory& memory, fs::path locks = {});
  ~ImageMover();

  /// `reference` is a tag or digest at `source`. With no `tags` it is there by digest only. What
  /// the target fails at is thrown as TargetFailure.
  Awaitable<MoveReport> copy(
      Ctx ctx,
      Place source,
      std::string reference,
      Place target,
      std::vector<std::string> tags,
      CopyOptions options,
      ProgressLine progress);

  Awaitable<MoveReport> push(
      Ctx ctx,
      ImageSource& image,
      Place target,
      std::vector<std::string> tags,
      PushOptions options,
      ProgressLine progress);

  /// Gives further tags to an image (tag or digest) of the same place; only its manifest is sent.
  Awaitable<Descriptor> tag(
      Ctx ctx, Place place, std::string reference, std::vector<std::string> tags);
  /// Removes the tags, not the image. Throws also unsupported: the registry cannot do it.
  Awaitable<void> untag(Ctx ctx, Place place, std::vector<std::string> tags);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace freshet::oci
