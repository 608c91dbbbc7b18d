// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/pinned_image.hpp"

#include "freshet/pipeline/steps/registry_image.hpp"
#include "freshet/registries/engine_reach.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::pipeline {
namespace {

using registries::PullCandidate;
using Digests = std::vector<std::string>;

bool has(const Digests& digests, const std::string& digest) {
  return std::ranges::find(digests, digest) != digests.end();
}

/// Whether the engine's image, which has no digest of that registry, is what is there.
Awaitable<bool> is_same(Ctx ctx, RegistryImage image, std::string engine_id) {
  const std::string digest = image.manifest.digest.to_string();
  if (digest == engine_id) {
    co_return true;
  }
  const oci::ParsedManifest manifest = co_await get_own_manifest(ctx, image.place, digest);
  co_return manifest.config&& manifest.config->descriptor.digest.to_string() == engine_id;
}

/// What the registry has, compared with the engine's copy.
Awaitable<PinnedImage> ask(
    Ctx ctx, StepScope scope, PinnedImage pinned, Digests known, PullOptions options) {
  RegistryImage image =
      co_await find_registry_image(ctx, scope, pinned.reference, std::move(options));
  pinned.digest = image.manifest.digest.to_string();
  pinned.was_asked = true;
  if (!pinned.engine_id.empty() && known.empty()) {
    const bool is_current = co_await is_same(ctx, std::move(image), pinned.engine_id);
    pinned.has_moved = !is_current;
  } else if (!known.empty()) {
    pinned.has_moved = !has(known, pinned.digest);
  }
  co_return pinned;
}

/// What was never in a registry, as far as this program can know, is not looked for in one.
Awaitable<bool> was_in_registry(
    StepScope scope, oci::Reference reference, std::vector<PullCandidate> ways, Digests known) {
  const bool is_beyond_engine = std::ranges::any_of(
      ways, [](const PullCandidate& way) { return !registries::why_beyond_engine(way).empty(); });
  if (is_beyond_engine || !known.empty()) {
    co_return true;
  }
  co_return co_await was_pushed_from_here(scope, std::move(reference));
}

}  // namespace

Awaitable<PinnedImage> pin_image(
    Ctx ctx, StepScope scope, std::string written, PullOptions options) {
  PinnedImage pinned;
  pinned.reference = oci::Reference::parse(written);
  pinned.written = std::move(written);
  if (pinned.reference.digest) {
    pinned.digest = pinned.reference.digest->to_string();
    co_return pinned;
  }
  const auto image = co_await scope.services.engine.find_image(ctx, pinned.reference.to_string());
  if (!image) {
    Digests none;
    co_return co_await ask(ctx, scope, std::move(pinned), std::move(none), std::move(options));
  }
  pinned.engine_id = image->id;
  const std::vector<PullCandidate> ways = co_await plan_pull(ctx, scope, pinned.reference, options);
  Digests known = known_digests(*image, ways);
  std::ranges::sort(known);
  pinned.digest = known.empty() ? "engine " + image->id : known.front();
  const bool is_asked_for = co_await was_in_registry(scope, pinned.reference, ways, known);
  if (!is_asked_for) {
    co_return pinned;
  }
  std::string problem;
  try {
    co_return co_await ask(ctx, scope, pinned, known, std::move(options));
  } catch (const Error& error) {
    problem = error.message();
  }
  scope.log.line(fmt::format(
      "warning: cannot ask whether {} is up to date, using the engine's copy: {}",
      pinned.reference.to_string(),
      problem));
  co_return pinned;
}

Awaitable<bool> is_unchanged(Ctx ctx, StepScope scope, PinnedImage image, PullOptions options) {
  if (!image.was_asked) {
    const auto now = co_await scope.services.engine.find_image(ctx, image.reference.to_string());
    co_return image.engine_id.empty() || (now && now->id == image.engine_id);
  }
  const PinnedImage now = co_await pin_image(ctx, scope, image.written, std::move(options));
  co_return now.was_asked && !now.has_moved && now.digest == image.digest;
}

}  // namespace freshet::pipeline
