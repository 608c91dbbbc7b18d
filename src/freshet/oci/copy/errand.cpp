// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/copy/errand.hpp"

#include "freshet/base/text.hpp"
#include "freshet/oci/copy/parallel.hpp"
#include "freshet/oci/copy/watched_stream.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::oci {
namespace {

constexpr std::size_t k_shown_digest = 19;  // `sha256:` and the twelve digits that people know
constexpr std::size_t k_max_mounts = 3;  // each that is refused costs a request or two
constexpr int k_max_refused_mounts = 6;  // in a row: this registry does not mount

/// A blob at another registry, read as often as the upload needs it.
class RemoteBlob final : public BlobSource {
 public:
  /// `has_failed` becomes true when reading fails.
  RemoteBlob(Descriptor blob, Place place, bool& has_failed)
      : blob_(std::move(blob)), place_(std::move(place)), has_failed_(has_failed) {}

  std::optional<Descriptor> known() const override { return blob_; }
  Awaitable<std::unique_ptr<net::ByteStream>> open(Ctx ctx, std::uint64_t offset) override {
    try {
      auto stream = co_await place_.registry->open_blob(ctx, place_.repository, blob_, offset);
      co_return std::make_unique<WatchedStream>(std::move(stream), has_failed_);
    } catch (const Error&) {
      has_failed_ = true;
      throw;
    }
  }

 private:
  Descriptor blob_;
  Place place_;
  bool& has_failed_;
};

bool is_corrupt(const std::optional<Error>& error) {
  return error && error->code() == ErrorCode::corrupt_data;
}

}  // namespace

Errand::Errand(MoverState& state, Ctx ctx, Place target, ImageMover::ProgressLine progress)
    : state_(state), ctx_(ctx), target_(std::move(target)), progress_(std::move(progress)) {}

std::string Errand::turn_name(const Digest& digest) const {
  return fmt::format("{}@{}", target_.name(), digest.to_string());
}

void Errand::say(const Digest& digest, std::string_view event) {
  if (progress_) {
    progress_(fmt::format("{}… {}", digest.to_string().substr(0, k_shown_digest), event));
  }
}

void Errand::note_uploaded(const Descriptor& blob) {
  state_.known.add(target_.registry->domain(), target_.repository, blob.digest);
  ++counts_.blobs_uploaded;
  counts_.bytes_sent += blob.size_bytes;
  say(blob.digest, "uploaded " + human_size(blob.size_bytes));
}

Awaitable<void> Errand::bring_all(std::vector<WantedBlob> wanted) {
  // The largest take longest: begun last, they would be waited for alone.
  std::ranges::stable_sort(
      wanted, std::ranges::greater(), [](const WantedBlob& each) { return each.blob.size_bytes; });
  const auto bring_one = [&](std::size_t index) { return bring(std::move(wanted[index])); };
  co_await for_each_at_once(wanted.size(), k_at_once, bring_one);
}

Awaitable<UploadLocks::Taken> Errand::lock(std::string name, Digest digest) {
  std::function<void()> on_long_wait = [this, digest] {
    say(digest, "waits for another program that sends it to " + target_.name());
  };
  co_return co_await state_.locks.take(ctx_, std::move(name), patience_, std::move(on_long_wait));
}

Awaitable<void> Errand::bring(WantedBlob wanted) {
  const auto turn = co_await state_.blobs.take(turn_name(wanted.blob.digest));
  bool is_found = co_await find_or_mount(wanted);
  if (is_found) {
    co_return;
  }
  const UploadLocks::Taken taken = co_await lock(turn_name(wanted.blob.digest), wanted.blob.digest);
  if (taken.has_waited) {
    is_found = co_await find_or_mount(wanted);
  }
  if (is_found) {
    co_return;
  }
  co_await in_context(
      fmt::format("bringing blob '{}' to '{}'", wanted.blob.digest.to_string(), target_.name()),
      transfer(wanted));
}

Awaitable<bool> Errand::bring_if_had(WantedBlob wanted) {
  const auto turn = co_await state_.blobs.take(turn_name(wanted.blob.digest));
  bool is_found = co_await find_or_mount(wanted);
  if (is_found || wanted.copy_from.empty()) {
    co_return is_found;
  }
  const UploadLocks::Taken taken = co_await lock(turn_name(wanted.blob.digest), wanted.blob.digest);
  if (taken.has_waited) {
    is_found = co_await find_or_mount(wanted);
  }
  if (is_found) {
    co_return true;
  }
  const auto slot = co_await state_.transfers.take("");
  for (const Place& from : wanted.copy_from) {
    const bool is_copied = co_await copy_if_had(wanted.blob, from);
    if (is_copied) {
      co_return true;
    }
  }
  co_return false;
}

Awaitable<bool> Errand::copy_if_had(Descriptor blob, Place from) {
  try {
    const auto size = co_await from.registry->find_blob(ctx_, from.repository, blob.digest);
    if (size == blob.size_bytes) {
      bool has_reading_failed = false;
      co_await copy(blob, from, has_reading_failed);
      co_return true;
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::deadline_exceeded) {
      throw;
    }
    say(blob.digest, fmt::format("not copied from {}: {}", from.name(), error.message()));
  }
  co_return false;
}

Awaitable<bool> Errand::find_or_mount(const WantedBlob& wanted) {
  const std::string& domain = target_.registry->domain();
  const bool is_known = state_.known.has(domain, target_.repository, wanted.blob.digest);
  if (!is_known && wanted.is_mount_sure && state_.refused_mounts.count(domain) == 0) {
    const bool is_mounted = co_await mount_from(wanted.blob.digest, wanted.mount_from.front());
    if (is_mounted) {
      co_return true;
    }
  }
  const bool is_present = co_await is_there(wanted.blob);
  if (is_present) {
    ++counts_.blobs_present;
    say(wanted.blob.digest, "already there");
    co_return true;
  }
  co_return co_await mount(wanted);
}

Awaitable<bool> Errand::is_there(Descriptor blob) {
  const std::string& domain = target_.registry->domain();
  if (state_.known.has(domain, target_.repository, blob.digest)) {
    co_return true;
  }
  auto work = target_.registry->find_blob(ctx_, target_.repository, blob.digest);
  const auto size = co_await at_target(std::move(work));
  if (!size || *size != blob.size_bytes) {
    // Another size means that one of the two is wrong: the bytes themselves will tell.
    co_return false;
  }
  state_.known.add(domain, target_.repository, blob.digest);
  co_return true;
}

Awaitable<bool> Errand::mount(const WantedBlob& wanted) {
  const std::string& domain = target_.registry->domain();
  std::vector<std::string> choices = wanted.mount_from;
  for (std::string& known : state_.known.repositories_with(domain, wanted.blob.digest)) {
    choices.push_back(std::move(known));
  }
  std::vector<std::string> tried{target_.repository};
  for (const std::string& repository : choices) {
    if (tried.size() > k_max_mounts ||
        state_.refused_mounts.count(domain) >= k_max_refused_mounts) {
      break;
    }
    if (std::ranges::find(tried, repository) != tried.end()) {
      continue;
    }
    tried.push_back(repository);
    const bool is_mounted = co_await mount_from(wanted.blob.digest, repository);
    if (is_mounted) {
      co_return true;
    }
  }
  co_return false;
}

Awaitable<bool> Errand::mount_from(Digest digest, std::string repository) {
  const std::string& domain = target_.registry->domain();
  auto work = target_.registry->mount_blob(ctx_, target_.repository, digest, repository);
  const bool is_mounted = co_await at_target(std::move(work));
  if (!is_mounted) {
    state_.refused_mounts.add(domain);
    co_return false;
  }
  state_.refused_mounts.forget(domain);
  state_.known.add(domain, target_.repository, digest);
  ++counts_.blobs_mounted;
  say(digest, "mounted from " + repository);
  co_return true;
}

Awaitable<void> Errand::transfer(const WantedBlob& wanted) {
  const auto slot = co_await state_.transfers.take("");
  if (wanted.bytes) {
    MemoryBlob source(wanted.blob.media_type, *wanted.bytes);
    co_await at_target(upload(wanted.blob, source));
    note_uploaded(wanted.blob);
    co_return;
  }
  for (const Place& from : wanted.copy_from) {
    const bool is_copied = co_await try_copy(wanted.blob, from);
    if (is_copied) {
      co_return;
    }
  }
  if (wanted.is_foreign) {
    say(wanted.blob.digest, "left out: a foreign layer that the source does not have either");
    co_return;
  }
  throw Error(
      ErrorCode::not_found,
      fmt::format(
          "'{}' does not have blob '{}', which the image names",
          wanted.copy_from.empty() ? target_.name() : wanted.copy_from.front().name(),
          wanted.blob.digest.to_string()));
}

/// False when it is not there.
Awaitable<bool> Errand::try_copy(Descriptor blob, Place from) {
  std::optional<Error> failure;
  bool has_reading_failed = false;
  for (int attempt = 1; attempt == 1 || (attempt == 2 && is_corrupt(failure)); ++attempt) {
    failure.reset();
    has_reading_failed = false;
    try {
      co_await copy(blob, from, has_reading_failed);
      co_return true;
    } catch (const net::TransportError&) {
      has_source_failed_ = has_source_failed_ || has_reading_failed;
      throw;
    } catch (const Error& error) {
      failure = error;
    }
  }
  if (failure->code() != ErrorCode::not_found) {
    has_source_failed_ = has_source_failed_ || has_reading_failed;
    throw Error(*failure);
  }
  // Whose was it? A repository that is yet to be made gives the same answer to an upload.
  const auto size = co_await from.registry->find_blob(ctx_, from.repository, blob.digest);
  if (size) {
    throw Error(*failure);
  }
  co_return false;
}

Awaitable<void> Errand::copy(Descriptor blob, Place from, bool& has_reading_failed) {
  RemoteBlob source(blob, std::move(from), has_reading_failed);
  try {
    co_await upload(blob, source);
  } catch (const Error& error) {
    // What came garbled may have been so at its source.
    const bool is_targets = !has_reading_failed && error.code() != ErrorCode::corrupt_data;
    has_target_failed_ = has_target_failed_ || is_targets;
    throw;
  }
  state_.known.add(target_.registry->domain(), target_.repository, blob.digest);
  ++counts_.blobs_copied;
  counts_.bytes_sent += blob.size_bytes;
  say(blob.digest, "copied " + human_size(blob.size_bytes));
}

Awaitable<void> Errand::upload(Descriptor blob, BlobSource& source) {
  const Descriptor sent = co_await target_.registry->push_blob(ctx_, target_.repository, source);
  if (sent.digest != blob.digest || sent.size_bytes != blob.size_bytes) {
    throw Error(
        ErrorCode::corrupt_data,
        fmt::format(
            "'{}' should be {} bytes and became '{}' of {} bytes",
            blob.digest.to_string(),
            blob.size_bytes,
            sent.digest.to_string(),
            sent.size_bytes));
  }
}

Awaitable<Manifest> Errand::get_manifest(Place from, std::string reference) {
  try {
    co_return co_await from.registry->get_manifest(ctx_, from.repository, reference);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::corrupt_data) {
      throw;
    }
  }
  co_return co_await from.registry->get_manifest(ctx_, from.repository, std::move(reference));
}

Awaitable<TagsToMove> Errand::tags_to_move(std::vector<std::string> tags, Digest digest) {
  TagsToMove out;
  std::vector<char> is_moved(tags.size(), 0);
  const auto look = [&](std::size_t index) -> Awaitable<void> {
    auto work = target_.registry->find_manifest(ctx_, target_.repository, tags[index]);
    const auto found = co_await at_target(std::move(work));
    is_moved[index] = found && found->digest == digest;
    if (is_moved[index]) {
      out.found = found;
    }
  };
  co_await for_each_at_once(tags.size(), k_at_once, look);
  for (std::size_t index = 0; index < tags.size(); ++index) {
    if (!is_moved[index]) {
      out.tags.push_back(std::move(tags[index]));
    }
  }
  co_return out;
}

Awaitable<void> Errand::put(Manifest manifest, std::vector<std::string> tags) {
  if (tags.empty()) {
    tags.push_back(manifest.descriptor.digest.to_string());
  }
  for (const std::string& reference : tags) {
    co_await in_context(
        fmt::format("writing '{}' to '{}'", reference, target_.name()),
        at_target(put_under(reference, manifest)));
  }
}

Awaitable<void> Errand::put_under(std::string reference, Manifest manifest) {
  try {
    co_await target_.registry->put_manifest(ctx_, target_.repository, reference, manifest);
    co_return;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::corrupt_data) {
      throw;
    }
  }
  // What came to be under the tag is not what was sent: it must not stay like that.
  co_await target_.registry->put_manifest(
      ctx_, target_.repository, std::move(reference), std::move(manifest));
}

}  // namespace freshet::oci
