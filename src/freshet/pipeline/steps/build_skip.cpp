// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/build_skip.hpp"

#include "freshet/pipeline/steps/build_index.hpp"
#include "freshet/pipeline/steps/built_before.hpp"
#include "freshet/pipeline/steps/engine_push.hpp"
#include "freshet/pipeline/steps/image_records.hpp"
#include "freshet/pipeline/steps/image_source.hpp"
#include "freshet/pipeline/steps/publish.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::pipeline {
namespace {

KeyQuery make_query(const BuildPlan& plan, std::string key) {
  std::string preferred = plan.target ? plan.references.front().name() : std::string();
  return {std::move(key), plan.image_name, std::move(preferred), plan.pulls};
}

/// What the engine calls the image; empty when it does not have it.
Awaitable<std::string> find_in_engine(Ctx ctx, StepScope scope, StepImage image) {
  std::vector<std::string> names = image.repo_digests;
  names.insert(names.begin(), image.config_digest);
  for (const std::string& name : names) {
    const auto found = co_await scope.services.engine.find_image(ctx, name);
    if (found) {
      co_return found->id;
    }
  }
  co_return std::string();
}

/// Gives the engine's copy the names that a build would have given it.
Awaitable<void> tag_in_engine(
    Ctx ctx, StepScope scope, std::string image_id, std::vector<oci::Reference> references) {
  const FileLock lock = co_await lock_repository(scope, references.at(0).name());
  for (const oci::Reference& reference : references) {
    co_await scope.services.engine.tag_image(ctx, image_id, reference.name(), reference.tag);
  }
}

/// The record of what was found, as this step leaves it.
model::ImageRecord complete(
    const StepScope& scope, const BuildPlan& plan, model::ImageRecord record, std::string key) {
  record.hash = std::move(key);
  record.image_name = plan.image_name;
  if (record.build_id.empty()) {  // another data directory built it, of the same
    record.build_id = scope.run.build().id;
    record.pipeline = scope.run.build().pipeline;
    record.step = scope.step.name;
    record.git = scope.run.git();
    record.dockerfile = scope.run.masker().mask(plan.dockerfile.text);
    for (model::ImageLayer& layer : record.layers) {
      layer.instruction = scope.run.masker().mask(layer.instruction);
    }
  }
  return record;
}

Awaitable<StepOutput> use(
    Ctx ctx, StepScope scope, const BuildPlan& plan, BuiltBefore found, const BuildKey& key) {
  scope.log.line(fmt::format("Skipping building image: {}:{}", plan.image_name, plan.tags.front()));
  scope.log.line(fmt::format("Already built: {}", found.image.repo_digest()));
  const bool is_foreign = found.record.build_id.empty();
  model::ImageRecord record = complete(scope, plan, std::move(found.record), key.key);
  StepOutput output = make_output(plan, "sha256:" + record.internal_image_id, record);
  StepImage& image = *output.image;
  image.repo_digests.push_back(found.image.repo_digest());
  std::string in_engine = co_await find_in_engine(ctx, scope, image);
  if (plan.target) {
    const auto started = Ctx::Clock::now();
    PublishRequest request{*plan.target, plan.references};
    const Published published =
        co_await publish(ctx, scope, std::move(found.image), std::move(request));
    if (published.repo_digest != image.repo_digests.front()) {
      image.repo_digests.insert(image.repo_digests.begin(), published.repo_digest);
    }
    record = co_await record_push(scope, record, published, milliseconds_since(started));
  } else {
    if (in_engine.empty()) {
      in_engine = co_await make_present(ctx, scope, image, plan.pulls);
    }
    record.repo_digest = image.repo_digests.front();
    co_await save_image(scope, record);
  }
  if (!in_engine.empty()) {
    image.id = in_engine;
    co_await tag_in_engine(ctx, scope, std::move(in_engine), plan.references);
  }
  BuiltImage now{image.id, record, image.repo_digests};
  if (is_foreign) {
    co_await index_foreign(scope, key, std::move(now));
  } else {
    co_await index_copies(scope, std::move(now));
  }
  scope.log.image(record);
  co_return output;
}

}  // namespace

StepOutput make_output(
    const BuildPlan& plan, const std::string& image_id, const model::ImageRecord& record) {
  StepOutput output;
  output.working_directory = plan.directory;
  output.image = StepImage{
      image_id, "sha256:" + record.internal_image_id, plan.image_name, plan.tags.front(), {}};
  output.members = {
      {"imageId", record.internal_image_id},
      {"imageName", plan.image_name},
      {"imageTagName", plan.image_name + ":" + plan.tags.front()}};
  return output;
}

Awaitable<std::optional<StepOutput>> use_built_before(
    Ctx ctx, StepScope scope, const BuildPlan& plan, BuildKey& key) {
  KeyQuery query = make_query(plan, key.key);
  const auto started = Ctx::Clock::now();
  std::optional<BuiltBefore> found =
      co_await find_built_before(ctx.within(key.time_left), scope, std::move(query));
  key.time_left -= Ctx::Clock::now() - started;
  if (!found) {
    co_return std::nullopt;
  }
  std::string problem;
  try {
    co_return co_await use(ctx, scope, plan, std::move(*found), key);
  } catch (const oci::TargetFailure&) {
    throw;  // it would not take the image of a build either
  } catch (const Error& error) {
    problem = error.message();
  }
  scope.log.line(fmt::format("warning: building after all: {}", problem));
  co_return std::nullopt;
}

Awaitable<std::optional<std::string>> remember_key(
    Ctx ctx,
    Ctx limited,
    StepScope scope,
    const BuildPlan& plan,
    const BuildKey& key,
    model::ImageRecord& record,
    StepOutput& output) {
  const std::string name = key.key;
  if (name.empty()) {
    co_return std::nullopt;
  }
  record.hash = name;
  KeyQuery query = make_query(plan, name);
  const auto kept = co_await keep_in_cache(
      ctx, limited, scope, std::move(query), output.image->id, record.repo_digest);
  if (kept && record.repo_digest.empty()) {
    record.repo_digest = *kept;
    output.image->repo_digests.push_back(*kept);
  }
  co_await save_image(scope, record);
  co_return kept;
}

}  // namespace freshet::pipeline
