// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/targets.hpp"

#include <algorithm>

namespace freshet::pipeline {
model::RegistryIntegration find_registry(const StepScope& scope, const Text& name) {
  const std::string expanded = scope.run.expand(name);
  scope.run.require_resolved(name, expanded, "registry");
  try {
    return scope.services.integrations.get(expanded);
  } catch (Error& error) {
    error.set_position_if_unknown(name.at);
    throw;
  }
}

oci::Reference compose(
    const model::RegistryIntegration& target,
    const std::string& name,
    registries::NameSource source,
    const std::string& tag,
    const SourcePosition& at) {
  try {
    return registries::compose_push_reference(
        {target.domain, target.repository_prefix, name, source, tag});
  } catch (Error& error) {
    error.set_position_if_unknown(at);
    throw;
  }
}

oci::Reference local_reference(
    const std::string& name, const std::string& tag, const SourcePosition& at) {
  try {
    oci::Reference reference = oci::Reference::parse(name);
    reference.tag = tag;
    return reference;
  } catch (Error& error) {
    error.set_position_if_unknown(at);
    throw;
  }
}

Awaitable<void> save_image(StepScope scope, model::ImageRecord record) {
  const auto save = [images = &scope.services.data.images(), record = std::move(record)] {
    images->put(record);
  };
  co_await offload(scope.services.pool, save);
}

Awaitable<model::ImageRecord> record_push(
    Ctx ctx,
    StepScope scope,
    std::string image_id,
    std::string name,
    Published published,
    std::int64_t push_ms) {
  const auto find = [images = &scope.services.data.images(), id = internal_image_id(image_id)] {
    return images->find(id);
  };
  std::optional<model::ImageRecord> record = co_await offload(scope.services.pool, find);
  if (!record) {
    record = co_await describe_image(ctx, scope, image_id);
    record->image_name = name;
    record->git = {};  // this run's commit says nothing about an image that came from elsewhere
    record->build_id.clear();
  }
  record->repo_digest = published.repo_digest;
  record->push_duration_ms = push_ms;
  for (const model::ImageTag& tag : published.tags) {
    if (std::find(record->tags.begin(), record->tags.end(), tag) == record->tags.end()) {
      record->tags.push_back(tag);
    }
  }
  co_await save_image(scope, *record);
  co_return *record;
}

std::int64_t milliseconds_since(Ctx::Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Ctx::Clock::now() - start).count();
}

}  // namespace freshet::pipeline
