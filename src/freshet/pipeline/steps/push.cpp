// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/text.hpp"
#include "freshet/pipeline/steps/image_source.hpp"
#include "freshet/pipeline/steps/publish.hpp"
#include "freshet/pipeline/steps/steps.hpp"
#include "freshet/pipeline/steps/targets.hpp"
#include "freshet/registries/naming.hpp"

#include <fmt/format.h>

namespace freshet::pipeline {
namespace {

/// The image that `candidate` means.
struct Candidate {
  std::string image_id;
  std::string name;  // what the target's name is made of when the step gives none
  registries::NameSource source = registries::NameSource::build_candidate;
};

Awaitable<Candidate> find_candidate(Ctx ctx, StepScope scope, const Text& text) {
  if (const StepImage* image = scope.run.find_step_image(text)) {
    const std::string id = co_await make_present(ctx, scope, *image);
    co_return Candidate{id, image->logical_name, registries::NameSource::build_candidate};
  }
  const std::string expanded = scope.run.expand(text);
  scope.run.require_resolved(text, expanded, "candidate");
  const oci::Reference reference = parse_reference(expanded, text.at);
  const std::string id = co_await pull_image(ctx, scope, reference, PullPolicy::always);
  co_return Candidate{id, std::string(trim(expanded)), registries::NameSource::explicit_candidate};
}

model::RegistryIntegration find_target(StepScope scope, const PushStep& step) {
  if (step.registry) {
    return find_registry(scope, *step.registry);
  }
  std::optional<model::RegistryIntegration> target =
      scope.services.integrations.default_integration();
  if (target) {
    return *target;
  }
  // A push step always pushes: without a default the oldest integration is meant.
  const std::vector<model::RegistryIntegration> all = scope.services.integrations.list();
  if (all.empty()) {
    throw Error(ErrorCode::not_found, "there is no registry to push to")
        .at(scope.step.at)
        .with_hint("connect one with 'freshet registry add'");
  }
  scope.log.line(
      fmt::format("No registry named and none is the default: using '{}'", all.front().name));
  return all.front();
}

}  // namespace

Awaitable<StepOutput> run_push(Ctx ctx, StepScope scope, PushStep step) {
  const model::RegistryIntegration target = find_target(scope, step);
  const std::vector<std::string> tags =
      resolve_tags(scope.run, step.tag, step.tags, "latest", false);
  Candidate candidate = co_await find_candidate(ctx, scope, step.candidate);
  SourcePosition name_at = step.candidate.at;
  if (step.image_name) {
    candidate.name = scope.run.expand(*step.image_name);
    scope.run.require_resolved(*step.image_name, candidate.name, "image_name");
    candidate.source = registries::NameSource::push_image_name;
    name_at = step.image_name->at;
  }
  PublishRequest request;
  request.image_id = candidate.image_id;
  request.target = target;
  for (const std::string& tag : tags) {
    request.references.push_back(compose(target, candidate.name, candidate.source, tag, name_at));
  }
  const auto started = Ctx::Clock::now();
  const Published published = co_await publish(ctx, scope, std::move(request));
  const std::string logical_name = name_without_registry(candidate.name);
  const model::ImageRecord record = co_await record_push(
      ctx, scope, candidate.image_id, logical_name, published, milliseconds_since(started));
  scope.log.image(record);

  StepOutput output;
  output.image =
      StepImage{candidate.image_id, record.image_name, tags.front(), {published.repo_digest}};
  output.members = {
      {"registry", target.name},
      {"imageId", record.internal_image_id},
      {"imageRepoDigest", published.repo_digest},
  };
  co_return output;
}

}  // namespace freshet::pipeline
