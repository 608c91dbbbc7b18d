// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/publish.hpp"

#include "freshet/base/text.hpp"
#include "freshet/pipeline/steps/image_source.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::pipeline {
namespace {

constexpr auto k_lock_poll = std::chrono::milliseconds(50);

/// Waits for the right to use the names of one repository in the engine.
Awaitable<FileLock> lock_repository(const StepScope& scope, std::string name) {
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

}  // namespace

Awaitable<Published> publish(Ctx ctx, StepScope scope, PublishRequest request) {
  engine::DockerClient& docker = scope.services.engine;
  const std::string repository = request.references.at(0).name();
  const engine::RegistryAuth auth =
      to_engine_auth(scope.run, scope.services.integrations.push_auth(request.target));
  const FileLock lock = co_await lock_repository(scope, repository);
  engine::ProgressLine on_progress = [&scope](std::string_view line) { scope.log.line(line); };

  Published published;
  for (const oci::Reference& reference : request.references) {
    scope.log.line(fmt::format("Tagging image as: {}", reference.to_string()));
    co_await docker.tag_image(ctx, request.image_id, repository, reference.tag);
    const engine::PushedImage pushed = co_await in_context(
        fmt::format("pushing {} with integration '{}'", reference.to_string(), request.target.name),
        docker.push_image(ctx, repository, reference.tag, auth, on_progress));
    published.repo_digest = repository + "@" + pushed.digest;
    published.tags.push_back(
        {reference.domain, reference.path, reference.tag, request.target.name});
  }
  const std::optional<engine::ImageDetails> image =
      co_await docker.find_image(ctx, request.image_id);
  const std::vector<std::string> digests =
      image ? digests_of(*image, request.references.front()) : std::vector<std::string>();
  const bool is_ours = std::any_of(digests.begin(), digests.end(), [&](const std::string& digest) {
    return published.repo_digest == repository + "@" + digest;
  });
  if (!is_ours) {
    throw Error(
        ErrorCode::conflict,
        fmt::format("another program moved '{}' in the engine while it was pushed", repository))
        .with_hint("run the pipeline again; what is in the registry now may be another image");
  }
  co_return published;
}

std::vector<std::string> resolve_tags(
    const RunState& run,
    const std::optional<Text>& tag,
    const std::vector<Text>& tags,
    std::string_view fallback,
    bool lower_case) {
  std::vector<Text> wanted = tags;
  if (tag) {
    wanted.push_back(*tag);
  }
  if (wanted.empty()) {
    wanted.push_back(Text{std::string(fallback), {}});
  }
  std::vector<std::string> out;
  for (const Text& text : wanted) {
    const std::string expanded = run.expand(text);
    run.require_resolved(text, expanded, "tag");
    std::string value(trim(expanded));
    if (lower_case) {
      value = to_lower(value);
    }
    if (!oci::is_valid_tag(value)) {
      throw Error(ErrorCode::invalid_input, fmt::format("'{}' is not a tag", value))
          .at(text.at)
          .with_hint(
              "a tag has at most 128 letters, digits, '_', '.' and '-', and starts with neither "
              "'.' "
              "nor '-'");
    }
    if (std::find(out.begin(), out.end(), value) == out.end()) {
      out.push_back(value);
    }
  }
  return out;
}

Awaitable<model::ImageRecord> describe_image(Ctx ctx, StepScope scope, std::string image_id) {
  engine::DockerClient& docker = scope.services.engine;
  const std::optional<engine::ImageDetails> details = co_await docker.find_image(ctx, image_id);
  if (!details) {
    throw Error(ErrorCode::not_found, fmt::format("the engine no longer has image {}", image_id));
  }
  const std::vector<engine::ImageHistoryEntry> history =
      co_await docker.image_history(ctx, image_id);
  model::ImageRecord record;
  record.id = make_id();
  record.internal_image_id = internal_image_id(details->id);
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

std::string internal_image_id(std::string_view image_id) {
  return std::string(image_id.substr(image_id.find(':') + 1));
}

}  // namespace freshet::pipeline
