// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/text.hpp"
#include "freshet/pipeline/steps/build_index.hpp"
#include "freshet/pipeline/steps/destination.hpp"
#include "freshet/pipeline/steps/image_records.hpp"
#include "freshet/pipeline/steps/image_source.hpp"
#include "freshet/pipeline/steps/publish.hpp"
#include "freshet/pipeline/steps/registry_image.hpp"
#include "freshet/pipeline/steps/steps.hpp"
#include "freshet/registries/naming.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::pipeline {
namespace {

/// The image that `candidate` means, where it was found.
struct Candidate {
  std::optional<RegistryImage> in_registry;  // wins: the engine need not be asked
  std::string image_id;  // as the engine names it; may be empty for one in a registry
  std::string config_digest;  // empty: not known yet
  std::string name;  // what the target's name is made of when the step gives none
  registries::NameSource source = registries::NameSource::build_candidate;
  std::vector<std::string> repo_digests;  // where it was known to be before
};

bool is_out_of_reach(ErrorCode code) {
  return code == ErrorCode::unavailable || code == ErrorCode::deadline_exceeded ||
         code == ErrorCode::rate_limited;
}

/// Where an image of this run can be copied from, those in `domain` first.
Awaitable<std::optional<RegistryImage>> find_pushed(
    Ctx ctx, StepScope scope, StepImage image, std::string domain, PullOptions options) {
  std::ranges::stable_partition(image.repo_digests, [&](const std::string& repo_digest) {
    return repo_digest.starts_with(domain + "/");
  });
  for (const std::string& repo_digest : image.repo_digests) {
    std::string problem;
    oci::Reference reference = oci::Reference::parse(repo_digest);
    try {
      co_return co_await find_registry_image(ctx, scope, std::move(reference), options);
    } catch (const Error& error) {
      problem = error.message();
    }
    scope.log.line(fmt::format("warning: cannot copy {}: {}", repo_digest, problem));
  }
  co_return std::nullopt;
}

Awaitable<Candidate> find_step_candidate(
    Ctx ctx, StepScope scope, StepImage image, std::string domain, PullOptions options) {
  Candidate candidate;
  candidate.name = image.logical_name;
  candidate.image_id = image.id;
  candidate.config_digest = image.config_digest;
  candidate.repo_digests = image.repo_digests;
  candidate.in_registry = co_await find_pushed(ctx, scope, image, std::move(domain), options);
  if (!candidate.in_registry) {
    candidate.image_id = co_await make_present(ctx, scope, std::move(image), std::move(options));
  }
  co_return candidate;
}

Awaitable<Candidate> find_reference(
    Ctx ctx, StepScope scope, std::string text, oci::Reference reference, PullOptions options) {
  Candidate candidate;
  candidate.name = std::move(text);
  candidate.source = registries::NameSource::explicit_candidate;
  std::optional<Error> failure;
  try {
    candidate.in_registry = co_await find_registry_image(ctx, scope, reference, std::move(options));
    co_return candidate;
  } catch (const Error& error) {
    failure = error;
  }
  std::optional<engine::ImageDetails> image;
  if (is_out_of_reach(failure->code())) {
    image = co_await scope.services.engine.find_image(ctx, reference.to_string());
  }
  if (!image) {
    throw *failure;
  }
  scope.log.line(fmt::format(
      "warning: {}; using the engine's copy of {}", failure->message(), reference.to_string()));
  candidate.image_id = image->id;
  co_return candidate;
}

Awaitable<Candidate> find_candidate(
    Ctx ctx, StepScope scope, const PushStep& step, std::string domain) {
  std::vector<Text> contexts;
  if (step.registry_context) {
    contexts.push_back(*step.registry_context);
  }
  PullOptions options = make_pull_options(scope, contexts, step.aws);
  const Text& text = step.candidate;
  const StepImage* image = scope.run.find_step_image(text);
  const std::string expanded(trim(scope.run.expand(text)));
  if (image == nullptr) {
    scope.run.require_resolved(text, expanded, "candidate");
    image = scope.run.find_image_by_id(expanded);
  }
  if (image != nullptr) {
    co_return co_await find_step_candidate(
        ctx, scope, *image, std::move(domain), std::move(options));
  }
  oci::Reference reference = parse_reference(expanded, text.at);
  co_return co_await find_reference(ctx, scope, expanded, std::move(reference), std::move(options));
}

PublishRequest make_request(
    const StepScope& scope,
    const PushStep& step,
    const Candidate& candidate,
    const Destination& destination,
    const std::vector<std::string>& tags) {
  std::string name = candidate.name;
  registries::NameSource source = candidate.source;
  SourcePosition at = step.candidate.at;
  if (step.image_name) {
    name = scope.run.expand(*step.image_name);
    scope.run.require_resolved(*step.image_name, name, "image_name");
    source = registries::NameSource::push_image_name;
    at = step.image_name->at;
  }
  PublishRequest request;
  request.destination = destination;
  for (const std::string& tag : tags) {
    request.references.push_back(compose(destination, name, source, tag, at));
  }
  return request;
}

/// The candidate's record as it is before the push.
Awaitable<model::ImageRecord> find_or_make_record(
    Ctx ctx, StepScope scope, Candidate candidate, std::string name) {
  if (!candidate.in_registry) {
    model::ImageRecord described =
        co_await describe_image(ctx, scope, candidate.image_id, candidate.config_digest);
    auto known = co_await find_record(scope, described.internal_image_id);
    co_return known ? *known : as_foreign(scope, std::move(described), std::move(name));
  }
  const DescribedImage found = co_await describe_registry_image(ctx, *candidate.in_registry);
  model::ImageRecord described = found.record;
  auto known = co_await find_record(scope, described.internal_image_id);
  co_return known ? *known : as_foreign(scope, std::move(described), std::move(name));
}

}  // namespace

Awaitable<StepOutput> run_push(Ctx ctx, StepScope scope, PushStep step) {
  const std::vector<std::string> tags =
      resolve_tags(scope.run, step.tag, step.tags, "latest", false);
  const Destination destination = co_await find_destination(ctx, scope, step);
  const Candidate candidate = co_await find_candidate(ctx, scope, step, destination.domain);
  PublishRequest request = make_request(scope, step, candidate, destination, tags);
  // Read before the push: a record that cannot be made must not follow a push that was.
  const std::string logical_name =
      name_without_registry(step.image_name ? scope.run.expand(*step.image_name) : candidate.name);
  const model::ImageRecord before =
      co_await find_or_make_record(ctx, scope, candidate, logical_name);

  const auto started = Ctx::Clock::now();
  Published published;
  if (candidate.in_registry) {
    published = co_await publish(ctx, scope, *candidate.in_registry, std::move(request));
  } else {
    published = co_await publish(ctx, scope, candidate.image_id, std::move(request));
  }
  const model::ImageRecord record =
      co_await record_push(scope, before, published, milliseconds_since(started));
  if (!record.build_id.empty()) {
    BuiltImage image{candidate.image_id, record, {published.repo_digest}};
    co_await index_copies(scope, std::move(image));
  }
  scope.log.image(record);

  StepOutput output;
  const std::string config_digest = "sha256:" + record.internal_image_id;
  output.image = StepImage{
      candidate.image_id.empty() ? config_digest : candidate.image_id,
      config_digest,
      record.image_name,
      tags.front(),
      {published.repo_digest}};
  output.image->repo_digests.insert(
      output.image->repo_digests.end(),
      candidate.repo_digests.begin(),
      candidate.repo_digests.end());
  output.members = {
      {"registry", destination.integration ? destination.integration->name : destination.domain},
      {"imageId", record.internal_image_id},
      {"imageRepoDigest", published.repo_digest},
  };
  co_return output;
}

}  // namespace freshet::pipeline
