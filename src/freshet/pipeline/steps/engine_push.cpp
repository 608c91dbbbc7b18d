// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/engine_push.hpp"

#include "freshet/pipeline/steps/pull.hpp"
#include "freshet/registries/engine_reach.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::pipeline {
namespace {

constexpr auto k_lock_poll = std::chrono::milliseconds(50);

}  // namespace

Awaitable<FileLock> lock_repository(StepScope scope, std::string name) {
  const fs::path folder = scope.services.data.path() / "locks";
  make_private_directory(folder);
  const fs::path file = folder / std::string(oci::Digest::of(name).hex().substr(0, 32));
  for (bool told = false;; told = true) {
    if (std::optional<FileLock> lock = FileLock::try_acquire(file)) {
      co_return std::move(*lock);
    }
    if (!told) {
      scope.log.line(fmt::format("Waiting for another build that pushes {}", name));
    }
    co_await sleep_for(k_lock_poll);
  }
}

Awaitable<Published> push_by_engine(
    Ctx ctx, StepScope scope, std::string image_id, PublishRequest request) {
  require_engine_reach(request.destination);
  engine::DockerClient& docker = scope.services.engine;
  const std::string repository = request.references.at(0).name();
  const engine::RegistryAuth auth = co_await find_engine_auth(ctx, scope, request.destination);
  const FileLock lock = co_await lock_repository(scope, repository);
  engine::ProgressLine on_progress = [&scope](std::string_view line) { scope.log.line(line); };

  Published published;
  engine::PushedImage pushed;  // the last; a moved name shows in it
  for (const oci::Reference& reference : request.references) {
    co_await docker.tag_image(ctx, image_id, repository, reference.tag);
    pushed = co_await docker.push_image(ctx, repository, reference.tag, auth, on_progress);
    published.repo_digest = repository + "@" + pushed.digest;
    published.tags.push_back(
        {reference.domain, reference.path, reference.tag, request.destination.integration_name()});
  }
  const std::optional<engine::ImageDetails> image = co_await docker.find_image(ctx, image_id);
  const std::vector<std::string> digests =
      image ? digests_of(*image, request.references.front()) : std::vector<std::string>();
  const bool is_ours = std::ranges::count(digests, pushed.digest) > 0 ||
                       (image && (image->id == pushed.digest || image->id == pushed.index_digest));
  if (!is_ours) {
    throw Error(
        ErrorCode::conflict,
        fmt::format("another program moved '{}' in the engine while it was pushed", repository))
        .with_hint("run the pipeline again; what is in the registry now may be another image");
  }
  co_return published;
}

void require_engine_reach(const Destination& destination) {
  const std::string obstacle = destination.integration
                                   ? registries::why_beyond_engine(*destination.integration)
                                   : std::string();
  if (!obstacle.empty()) {
    throw Error(
        ErrorCode::unsupported,
        fmt::format(
            "the image cannot be read from here, and the engine, which {}, cannot push it",
            obstacle))
        .with_hint("let Freshet read the engine's images: run it on the engine's machine");
  }
}

}  // namespace freshet::pipeline
