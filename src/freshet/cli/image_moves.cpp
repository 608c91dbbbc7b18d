// SPDX-License-Identifier: Apache-2.0
#include "freshet/cli/image_moves.hpp"

#include "freshet/base/text.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace freshet::cli {

using pipeline::RegistryImage;

namespace {

/// Within one repository a copy is no more than a tag.
Awaitable<oci::MoveReport> copy_or_tag(
    Ctx ctx,
    Runtime& runtime,
    RegistryImage image,
    oci::Place place,
    std::vector<std::string> tags,
    oci::CopyOptions options,
    oci::ImageMover::ProgressLine progress) {
  const std::string digest = image.manifest.digest.to_string();
  if (image.place.name() == place.name() && options.all_platforms) {
    oci::Descriptor manifest = co_await runtime.mover().tag(ctx, place, digest, std::move(tags));
    co_return oci::MoveReport{oci::MoveCounts(), std::move(manifest)};
  }
  co_return co_await runtime.mover().copy(
      ctx, image.place, digest, place, std::move(tags), std::move(options), std::move(progress));
}

Awaitable<oci::Place> open_target(Ctx ctx, Runtime& runtime, Side target) {
  try {
    co_return co_await open_side(ctx, runtime, std::move(target), true);
  } catch (const Error& error) {
    throw oci::TargetFailure(error);
  }
}

}  // namespace

Awaitable<MovedImage> move_image(
    Ctx ctx,
    Runtime& runtime,
    RegistryImage image,
    Side target,
    std::vector<std::string> tags,
    oci::CopyOptions options,
    oci::ImageMover::ProgressLine progress) {
  const oci::Place place = co_await open_target(ctx, runtime, target);
  std::string frame = fmt::format("copying {} to {}", image.repo_digest(), place.name());
  const auto started = Ctx::Clock::now();
  auto work =
      copy_or_tag(ctx, runtime, image, place, tags, std::move(options), std::move(progress));
  oci::MoveReport report = co_await in_context(std::move(frame), std::move(work));
  MovedImage moved{image.repo_digest(), target.reference, std::move(tags), std::move(report), {}};
  moved.duration =
      std::chrono::duration_cast<std::chrono::milliseconds>(Ctx::Clock::now() - started);
  co_return moved;
}

Awaitable<void> note_tags(Ctx ctx, Runtime& runtime, MovedImage moved, Side target) {
  store::ImageFilter any;
  any.limit = 1;
  if (runtime.data().images().list(any).empty()) {
    co_return;  // which spares the registry a question
  }
  oci::Place place = co_await open_side(ctx, runtime, target, false);
  const std::string repo_digest = place.name() + "@" + moved.report.manifest.digest.to_string();
  RegistryImage image{std::move(place), moved.report.manifest};
  const auto id = co_await pipeline::find_internal_image_id(ctx, std::move(image));
  if (!id) {
    co_return;
  }
  const auto record = runtime.data().images().find(*id);
  if (!record) {
    co_return;
  }
  // The digest of its own push stays: a copy elsewhere is one more place.
  const std::string pushed = record->repo_digest.empty() ? repo_digest : std::string();
  for (const std::string& tag : moved.tags) {
    const model::ImageTag named{
        target.reference.domain,
        target.reference.path,
        tag,
        target.integration ? target.integration->name : std::string()};
    runtime.data().images().add_tag(*id, named, pushed);
  }
}

oci::ImageMover::ProgressLine progress_on_stderr() {
  constexpr std::size_t k_max_line = 1000;
  return [](std::string_view line) { fmt::print(stderr, "{}\n", printable(line, k_max_line)); };
}

}  // namespace freshet::cli
