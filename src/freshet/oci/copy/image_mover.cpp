// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/copy/image_mover.hpp"

#include "freshet/oci/copy/errand.hpp"
#include "freshet/oci/copy/image_copy.hpp"
#include "freshet/oci/copy/image_push.hpp"

#include <fmt/format.h>

namespace freshet::oci {

class ImageMover::Impl {
 public:
  Impl(asio::thread_pool& pool, LayerMemory& memory, fs::path locks)
      : state(pool, memory, std::move(locks)) {}

  /// Forgets what is said to be at `target`; false unless `error` shows that some of it is wrong.
  bool was_misled(const Error& error, const Place& target) {
    if (error.remote_text().find("BLOB_UNKNOWN") == std::string::npos) {
      return false;
    }
    state.known.forget(target.registry->domain(), target.repository);
    return true;
  }

  MoverState state;
};

namespace {

Awaitable<MoveReport> copy_telling_blame(Errand& errand, CopyRequest request) {
  try {
    Descriptor manifest = co_await copy_image(errand, std::move(request));
    co_return MoveReport{errand.counts(), std::move(manifest)};
  } catch (const Error& error) {
    if (errand.is_target_to_blame()) {
      throw TargetFailure(error);
    }
    throw;
  }
}

}  // namespace

ImageMover::ImageMover(asio::thread_pool& pool, LayerMemory& memory, fs::path locks)
    : impl_(std::make_unique<Impl>(pool, memory, std::move(locks))) {}

ImageMover::~ImageMover() = default;

Awaitable<MoveReport> ImageMover::copy(
    Ctx ctx,
    Place source,
    std::string reference,
    Place target,
    std::vector<std::string> tags,
    CopyOptions options,
    ProgressLine progress) {
  CopyRequest request{std::move(source), std::move(reference), std::move(tags), std::move(options)};
  try {
    Errand errand(impl_->state, ctx, target, progress);
    co_return co_await copy_telling_blame(errand, request);
  } catch (const Error& error) {
    if (!impl_->was_misled(error, target)) {
      throw;
    }
  }
  // A blob that was there a while ago is gone: look again, once, with fresh eyes.
  Errand errand(impl_->state, ctx, std::move(target), std::move(progress));
  co_return co_await copy_telling_blame(errand, std::move(request));
}

Awaitable<MoveReport> ImageMover::push(
    Ctx ctx,
    ImageSource& image,
    Place target,
    std::vector<std::string> tags,
    PushOptions options,
    ProgressLine progress) {
  try {
    Errand errand(impl_->state, ctx, target, progress);
    Descriptor manifest = co_await push_image(errand, image, tags, options);
    co_return MoveReport{errand.counts(), std::move(manifest)};
  } catch (const Error& error) {
    if (!impl_->was_misled(error, target)) {
      throw;
    }
  }
  Errand errand(impl_->state, ctx, std::move(target), std::move(progress));
  Descriptor manifest = co_await push_image(errand, image, std::move(tags), std::move(options));
  co_return MoveReport{errand.counts(), std::move(manifest)};
}

Awaitable<Descriptor> ImageMover::tag(
    Ctx ctx, Place place, std::string reference, std::vector<std::string> tags) {
  const Manifest manifest =
      co_await place.registry->get_manifest(ctx, place.repository, std::move(reference));
  if (!tags.empty()) {
    Errand errand(impl_->state, ctx, std::move(place), {});
    co_await errand.put(manifest, std::move(tags));
  }
  co_return manifest.descriptor;
}

Awaitable<void> ImageMover::untag(Ctx ctx, Place place, std::vector<std::string> tags) {
  for (const std::string& tag : tags) {
    co_await place.registry->delete_tag(ctx, place.repository, tag);
  }
}

}  // namespace freshet::oci
