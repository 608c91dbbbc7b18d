// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/image_records.hpp"

#include "freshet/engine/docker/image_sources.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::pipeline {

Awaitable<model::ImageRecord> describe_image(
    Ctx ctx, StepScope scope, std::string image_id, std::string config_digest) {
  engine::DockerClient& docker = scope.services.engine;
  const std::optional<engine::ImageDetails> details = co_await docker.find_image(ctx, image_id);
  if (!details) {
    throw Error(ErrorCode::not_found, fmt::format("the engine no longer has image {}", image_id));
  }
  const std::vector<engine::ImageHistoryEntry> history =
      co_await docker.image_history(ctx, image_id);
  if (config_digest.empty()) {
    config_digest = co_await engine::find_config_digest(ctx, docker, scope.services.pool, image_id);
  }
  model::ImageRecord record;
  record.id = make_id();
  record.internal_image_id = internal_image_id(config_digest);
  record.created_at = now();
  record.size_bytes = details->size_bytes;
  record.os = details->os;
  record.architecture = details->architecture;
  record.build_id = scope.run.build().id;
  record.pipeline = scope.run.build().pipeline;
  record.step = scope.step.name;
  record.git = scope.run.git();
  const auto has_size = [](const engine::ImageHistoryEntry& entry) { return entry.size_bytes > 0; };
  // The engine does not say which history entries made layers. Those with content did; when their
  // number is not that of the layers, some layer is empty and no assignment would be certain.
  const bool is_certain =
      static_cast<std::size_t>(std::count_if(history.begin(), history.end(), has_size)) ==
      details->diff_ids.size();
  std::size_t next_layer = 0;
  for (const engine::ImageHistoryEntry& entry : history) {
    // Build arguments stand in the history of each RUN, and one of them may be a secret.
    model::ImageLayer layer{scope.run.masker().mask(entry.created_by), entry.size_bytes, {}};
    if (is_certain && has_size(entry)) {
      layer.digest = details->diff_ids[next_layer++];
    }
    record.layers.push_back(std::move(layer));
  }
  co_return record;
}

std::string internal_image_id(std::string_view config_digest) {
  return std::string(config_digest.substr(config_digest.find(':') + 1));
}

Awaitable<std::optional<model::ImageRecord>> find_record(
    StepScope scope, std::string config_digest) {
  const auto find = [images = &scope.services.data.images(),
                     id = internal_image_id(config_digest)] { return images->find(id); };
  co_return co_await offload(scope.services.pool, find);
}

Awaitable<void> save_image(StepScope scope, model::ImageRecord record) {
  const auto save = [images = &scope.services.data.images(), record = std::move(record)] {
    images->put(record);
  };
  co_await offload(scope.services.pool, save);
}

model::ImageRecord as_foreign(
    const StepScope& scope, model::ImageRecord described, std::string name) {
  described.image_name = std::move(name);
  described.pipeline = scope.run.build().pipeline;
  described.step = scope.step.name;
  for (model::ImageLayer& layer : described.layers) {
    layer.instruction = scope.run.masker().mask(layer.instruction);
  }
  described.git = {};
  described.build_id.clear();
  return described;
}

Awaitable<model::ImageRecord> record_push(
    StepScope scope, model::ImageRecord record, Published published, std::int64_t push_ms) {
  record.repo_digest = published.repo_digest;
  record.push_duration_ms = push_ms;
  for (const model::ImageTag& tag : published.tags) {
    if (std::find(record.tags.begin(), record.tags.end(), tag) == record.tags.end()) {
      record.tags.push_back(tag);
    }
  }
  co_await save_image(scope, record);
  co_return record;
}

std::int64_t milliseconds_since(Ctx::Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Ctx::Clock::now() - start).count();
}

}  // namespace freshet::pipeline
