// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/build_index.hpp"

#include "freshet/cache/inline_cache.hpp"
#include "freshet/dockerfile/file.hpp"
#include "freshet/engine/buildkit/image_config.hpp"
#include "freshet/pipeline/steps/image_records.hpp"
#include "freshet/pipeline/steps/registry_image.hpp"
#include "freshet/store/cache_index.hpp"

#include <fmt/format.h>

namespace freshet::pipeline {
namespace {

/// The image, but for its instructions.
model::PastImage to_past_image(const BuiltImage& image, std::string id) {
  model::PastImage past;
  past.id = std::move(id);
  past.platform = own_platform();
  past.pipeline = image.record.pipeline;
  past.branch = image.record.git.branch;
  past.created_at = image.record.created_at;
  for (const std::string& name : image.repo_digests) {
    const oci::Reference reference = oci::Reference::parse(name);
    if (reference.digest) {
      past.copies.push_back(
          {reference.domain, reference.path, reference.digest->to_string(), now()});
    }
  }
  return past;
}

/// Stores it under the id of its record, which an older build of the same image may have chosen.
Awaitable<void> store(
    StepScope scope, BuiltImage image, std::vector<model::PastInstruction> known) {
  const auto record = co_await find_record(scope, image.record.internal_image_id);
  model::PastImage past =
      to_past_image(image, record ? record->id : image.record.internal_image_id);
  past.instructions = std::move(known);
  const auto work = [index = &scope.services.data.cache_index(), past = std::move(past)] {
    index->record(past);
  };
  co_await offload(scope.services.pool, work);
}

/// Offers no more than what the image tells builders of.
Awaitable<void> restrict_to_inline_cache(
    Ctx ctx,
    StepScope scope,
    engine::ImageDetails details,
    std::string internal_image_id,
    std::vector<model::PastInstruction>& known) {
  if (details.repo_tags.empty()) {
    co_return;
  }
  try {
    const std::string config =
        co_await engine::read_image_config(ctx, scope.services.engine, details.repo_tags.front());
    if (oci::Digest::of(config).hex() == internal_image_id) {  // the name may have been moved
      cache::restrict_offers(known, config);
    }
  } catch (const Error&) {
    // What an image gives is looked at once more before a build takes it as a source.
  }
}

Awaitable<void> complete_and_store(
    Ctx ctx,
    StepScope scope,
    std::shared_ptr<const cache::KeyedBuild> build,
    std::vector<model::PastInstruction> known,
    BuiltImage image) {
  if (const auto details = co_await scope.services.engine.find_image(ctx, image.id)) {
    cache::add_layers(known, *build, image.record.layers, details->diff_ids);
    co_await restrict_to_inline_cache(ctx, scope, *details, image.record.internal_image_id, known);
  }
  co_await store(scope, std::move(image), std::move(known));
}

Awaitable<void> warn_of_trouble(StepScope scope, Awaitable<void> work) {
  std::string problem;
  try {
    co_await std::move(work);
  } catch (const Error& error) {
    problem = error.message();
  }
  if (!problem.empty()) {
    scope.log.line(fmt::format("warning: the image is not kept as a cache source: {}", problem));
  }
}

}  // namespace

std::optional<std::vector<model::PastInstruction>> describe_built(
    const BuildKey& key,
    const std::string& dockerfile,
    const std::vector<cache::VertexTime>& times) {
  const dockerfile::File file = dockerfile::parse(dockerfile);
  return cache::describe_instructions(*key.instructions, file.instructions, times);
}

Awaitable<void> index_built(
    Ctx ctx,
    StepScope scope,
    const BuildKey& key,
    std::vector<model::PastInstruction> known,
    BuiltImage image) {
  auto work = complete_and_store(ctx, scope, key.instructions, std::move(known), std::move(image));
  co_await warn_of_trouble(scope, std::move(work));
}

Awaitable<void> index_foreign(StepScope scope, const BuildKey& key, BuiltImage image) {
  if (!key.instructions) {
    co_return;
  }
  auto known = cache::describe_instructions(*key.instructions, {}, {});
  std::vector<std::string> diff_ids;
  for (const model::ImageLayer& layer : image.record.layers) {
    if (!layer.digest.empty()) {
      diff_ids.push_back(layer.digest);
    }
  }
  cache::add_layers(*known, *key.instructions, image.record.layers, diff_ids);
  auto work = store(scope, std::move(image), std::move(*known));
  co_await warn_of_trouble(scope, std::move(work));
}

Awaitable<void> index_copies(StepScope scope, BuiltImage image) {
  auto work = store(scope, std::move(image), {});
  co_await warn_of_trouble(scope, std::move(work));
}

}  // namespace freshet::pipeline
