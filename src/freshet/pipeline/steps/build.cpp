// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/text.hpp"
#include "freshet/dockerfile/file.hpp"
#include "freshet/dockerfile/lookup.hpp"
#include "freshet/engine/buildkit/builder.hpp"
#include "freshet/pipeline/steps/base_images.hpp"
#include "freshet/pipeline/steps/build_explain.hpp"
#include "freshet/pipeline/steps/build_index.hpp"
#include "freshet/pipeline/steps/build_key.hpp"
#include "freshet/pipeline/steps/build_logins.hpp"
#include "freshet/pipeline/steps/build_plan.hpp"
#include "freshet/pipeline/steps/build_progress.hpp"
#include "freshet/pipeline/steps/build_skip.hpp"
#include "freshet/pipeline/steps/cached_build.hpp"
#include "freshet/pipeline/steps/image_records.hpp"
#include "freshet/pipeline/steps/publish.hpp"
#include "freshet/pipeline/steps/steps.hpp"

#include <fmt/format.h>

namespace freshet::pipeline {
namespace {

/// For registries after a build, even if they took all of their time before it.
constexpr auto k_least_time = std::chrono::seconds(1);

/// Names the Dockerfile's line of the instruction that failed.
Error explain(const engine::BuildFailed& failure, const Dockerfile& dockerfile) {
  Error error = failure;
  const dockerfile::File file = dockerfile::parse(dockerfile.text);
  const dockerfile::Instruction* culprit =
      dockerfile::find_instruction(file.instructions, failure.vertex_name());
  if (culprit != nullptr) {
    error.set_position_if_unknown({dockerfile.shown_name, culprit->line, 1});
  }
  return error;
}

/// The builder gets the Dockerfile as it was read, and the names by which the engine has what was
/// pulled for it.
void fix_dockerfile(
    engine::BuildRequest& request,
    const std::string& dockerfile,
    const std::map<std::string, std::string>& names) {
  // Without such names, too: the file may be another one by now, and the image's key is of this.
  std::string text = names.empty() ? dockerfile : rename_base_images(dockerfile, names);
  if (auto* file = std::get_if<engine::DockerfilePath>(&request.dockerfile)) {
    file->text = std::move(text);
  } else {
    request.dockerfile = engine::DockerfileText{std::move(text)};
  }
  for (auto& [argument, value] : request.build_arguments) {
    const auto renamed = names.find(value);
    value = renamed == names.end() ? value : renamed->second;
  }
}

/// The builder takes the engine's copy of a base image: an old one is made new first.
Awaitable<void> renew_base_images(Ctx ctx, StepScope scope, BuildKey key, PullOptions options) {
  for (const PinnedImage& image : key.images) {
    if (!image.has_moved) {
      continue;
    }
    std::string problem;
    try {
      co_await pull_image(ctx, scope, image.reference, PullPolicy::always, options);
    } catch (const Error& error) {
      problem = error.message();
    }
    if (!problem.empty()) {
      scope.log.line(fmt::format(
          "warning: building on the engine's older copy of {}: {}", image.written, problem));
    }
  }
}

/// What a build gave.
struct Built {
  engine::BuildResult result;
  std::vector<cache::VertexTime> times;  // how long its operations took
};

Awaitable<Built> build_image(
    Ctx ctx, StepScope scope, const BuildPlan& plan, CacheSources sources) {
  engine::BuildRequest request = plan.request;
  BuildPulls pulls;
  pulls.dockerfile = plan.dockerfile.text;
  pulls.arguments = request.build_arguments;
  pulls.options = plan.pulls;
  PreparedPulls prepared = co_await prepare_pulls(ctx, scope, std::move(pulls));
  request.credentials = std::move(prepared.credentials);
  fix_dockerfile(request, plan.dockerfile.text, prepared.renamed);

  BuildProgress progress(scope.log);
  std::optional<Error> failure;
  try {
    const engine::BuildResult result =
        co_await build_with_cache(ctx, scope, std::move(request), std::move(sources), progress);
    const BuildProgress::CacheCount count = progress.count_cached();
    scope.log.finish();
    scope.log.line(fmt::format(
        "Built {}: {} of {} instructions cached, {} of context sent",
        result.config_digest.substr(0, 19),
        count.cached,
        count.total,
        human_size(result.context_bytes_sent)));
    co_return Built{result, progress.times()};
  } catch (const engine::BuildFailed& failed) {
    failure = explain(failed, plan.dockerfile);
  }
  throw *failure;
}

Awaitable<bool> has_registries(StepScope scope) {
  const auto list = [integrations = &scope.services.integrations] { return integrations->list(); };
  const auto registries = co_await offload(scope.services.pool, list);
  co_return !registries.empty();
}

/// Makes the image one that later builds find, whole or by its instructions. Registries may take as
/// long as they have left, or a moment.
Awaitable<void> remember(
    Ctx ctx,
    StepScope scope,
    const BuildPlan& plan,
    const BuildKey& key,
    const std::vector<cache::VertexTime>& times,
    model::ImageRecord& record,
    StepOutput& output) {
  if (!key.instructions) {
    co_return;
  }
  auto known = describe_built(key, plan.dockerfile.text, times);
  if (!known) {
    scope.log.line(
        "Not kept for later builds: base images brought instructions (ONBUILD), of which the key "
        "says nothing");
    co_return;
  }
  const Ctx limited = ctx.within(std::max<Ctx::Clock::duration>(key.time_left, k_least_time));
  const bool is_true = co_await is_still_true(limited, scope, plan.request, key, plan.pulls);
  if (!is_true) {
    co_return;
  }
  const std::string pushed = record.repo_digest;
  const auto kept = co_await remember_key(ctx, limited, scope, plan, key, record, output);
  BuiltImage image{output.image->id, record, {}};
  if (!pushed.empty()) {
    image.repo_digests.push_back(pushed);
  }
  if (kept && *kept != pushed) {
    image.repo_digests.push_back(*kept);
  }
  co_await index_built(limited, scope, key, std::move(*known), std::move(image));
}

Awaitable<CacheSources> find_sources(
    Ctx ctx, StepScope scope, const BuildPlan& plan, const BuildKey& key) {
  if (!plan.switch_off.empty() || !key.instructions) {
    co_return CacheSources();
  }
  co_await explain_misses(scope, key);
  co_return co_await find_cache_sources(
      ctx, scope, key.instructions->graph, plan.pulls, key.time_left);
}

/// Builds and pushes; `key` may be empty.
Awaitable<StepOutput> build_anew(
    Ctx ctx, StepScope scope, BuildPlan plan, BuildKey key, CacheSources sources) {
  co_await renew_base_images(ctx, scope, key, plan.pulls);
  if (!key.key.empty()) {
    plan.request.labels.emplace_back(k_key_label, key.key);
  }
  const auto started = Ctx::Clock::now();
  const Built built = co_await build_image(ctx, scope, plan, std::move(sources));
  const std::string& image_id = built.result.image_id;
  model::ImageRecord record =
      co_await describe_image(ctx, scope, image_id, built.result.config_digest);
  record.image_name = plan.image_name;
  // An inline one may hold a secret.
  record.dockerfile = scope.run.masker().mask(plan.dockerfile.text);
  record.build_duration_ms = milliseconds_since(started);
  co_await save_image(scope, record);

  StepOutput output = make_output(plan, image_id, record);
  if (plan.target) {
    const auto push_started = Ctx::Clock::now();
    PublishRequest request{*plan.target, plan.references};
    const Published published = co_await publish(ctx, scope, image_id, std::move(request));
    record.push_duration_ms = milliseconds_since(push_started);
    record.tags = published.tags;
    record.repo_digest = published.repo_digest;
    output.image->repo_digests.push_back(published.repo_digest);
    co_await save_image(scope, record);
  } else {
    for (const oci::Reference& reference : plan.references) {
      co_await scope.services.engine.tag_image(ctx, image_id, reference.name(), reference.tag);
    }
  }
  co_await remember(ctx, scope, plan, key, built.times, record, output);
  scope.log.image(record);
  co_return output;
}

}  // namespace

Awaitable<StepOutput> run_build(Ctx ctx, StepScope scope, BuildStep step) {
  BuildPlan plan = co_await make_build_plan(ctx, scope, std::move(step));
  BuildKey key;
  // Without a registry nothing could be found by a key, nor be there for later builds.
  const bool has_any_registry = co_await has_registries(scope);
  if (has_any_registry) {
    key = co_await find_build_key(ctx, scope, plan.request, plan.dockerfile.text, plan.pulls);
    plan.request.exports_inline_cache = true;
  }
  std::optional<StepOutput> output;
  if (!plan.switch_off.empty()) {
    scope.log.line(fmt::format("Not looking for an image built before: {}", plan.switch_off));
  } else if (!key.problem.empty()) {
    scope.log.line(fmt::format("Not looking for an image built before: {}", key.problem));
  } else if (!key.key.empty()) {
    output = co_await use_built_before(ctx, scope, plan, key);
  }
  if (!output) {
    const auto started = Ctx::Clock::now();
    CacheSources sources = co_await find_sources(ctx, scope, plan, key);
    key.time_left -= Ctx::Clock::now() - started;
    output = co_await build_anew(ctx, scope, plan, key, std::move(sources));
  }
  co_await remember_build(scope, key);
  co_return std::move(*output);
}

}  // namespace freshet::pipeline
