// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/copy/image_mover.hpp"
#include "freshet/oci/copy/mover_state.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::oci {

/// A blob that has to be at the target, and where it may come from.
struct WantedBlob {
  Descriptor blob;
  /// The image is complete without it.
  bool is_foreign = false;
  /// Repositories of the target's registry, best first.
  std::vector<std::string> mount_from = {};
  /// The first of `mount_from` has it for sure: mounting it takes no more than asking for it.
  bool is_mount_sure = false;
  /// Other places that have it.
  std::vector<Place> copy_from = {};
  /// The blob itself, where it is small and at hand.
  std::optional<std::string> bytes = {};
};

/// What has to be done to some tags of one image.
struct TagsToMove {
  std::vector<std::string> tags;  // that are not there or elsewhere, in their order
  std::optional<Descriptor> found;  // what the others are at
};

/// One call of the mover: brings blobs and manifests to one repository and keeps the account.
class Errand {
 public:
  /// Manifests and blobs asked for or moved at once.
  static constexpr std::size_t k_at_once = 6;

  Errand(MoverState& state, Ctx ctx, Place target, ImageMover::ProgressLine progress);

  /// Sees to it that the target has the blob: there already, mounted, copied, put from memory.
  Awaitable<void> bring(WantedBlob wanted);
  /// The same for many, the largest first.
  Awaitable<void> bring_all(std::vector<WantedBlob> wanted);
  /// The same, but it is no failure when nobody has it or a place it may come from has troubles:
  /// false then.
  Awaitable<bool> bring_if_had(WantedBlob wanted);

  /// Reads it once more when it came garbled.
  Awaitable<Manifest> get_manifest(Place from, std::string reference);
  /// One request a tag.
  Awaitable<TagsToMove> tags_to_move(std::vector<std::string> tags, Digest digest);
  /// Writes the manifest under each tag, in their order; under its digest when there is none.
  Awaitable<void> put(Manifest manifest, std::vector<std::string> tags);

  /// Awaits what is asked of the target, and remembers whose a failure was.
  template <class T>
  Awaitable<T> at_target(Awaitable<T> work) {
    try {
      co_return co_await std::move(work);
    } catch (const Error& error) {
      // What came garbled may have been so at its source.
      has_target_failed_ = has_target_failed_ || error.code() != ErrorCode::corrupt_data;
      throw;
    }
  }
  /// Whether something failed at the target, and no reading of a blob from elsewhere did.
  bool is_target_to_blame() const { return has_target_failed_ && !has_source_failed_; }

  /// To be held by whoever sends what `name` names, and has its turn for that in this program.
  Awaitable<UploadLocks::Taken> lock(std::string name, Digest digest);

  void note_uploaded(const Descriptor& blob);
  void say(const Digest& digest, std::string_view event);
  std::string turn_name(const Digest& digest) const;

  MoverState& state() { return state_; }
  const Ctx& ctx() const { return ctx_; }
  const Place& target() const { return target_; }
  MoveCounts& counts() { return counts_; }

 private:
  Awaitable<bool> find_or_mount(const WantedBlob& wanted);
  Awaitable<bool> is_there(Descriptor blob);
  Awaitable<bool> mount(const WantedBlob& wanted);
  Awaitable<bool> mount_from(Digest digest, std::string repository);
  Awaitable<void> transfer(const WantedBlob& wanted);
  Awaitable<bool> copy_if_had(Descriptor blob, Place from);
  Awaitable<bool> try_copy(Descriptor blob, Place from);
  /// `has_reading_failed` becomes true when it failed for `from`.
  Awaitable<void> copy(Descriptor blob, Place from, bool& has_reading_failed);
  Awaitable<void> put_under(std::string reference, Manifest manifest);
  Awaitable<void> upload(Descriptor blob, BlobSource& source);

  MoverState& state_;
  Ctx ctx_;
  Place target_;
  ImageMover::ProgressLine progress_;
  MoveCounts counts_;
  UploadLocks::Patience patience_;
  bool has_target_failed_ = false;
  bool has_source_failed_ = false;  // in a way that ended the copy
};

}  // namespace freshet::oci
