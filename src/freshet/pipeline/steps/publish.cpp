// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/publish.hpp"

#include "freshet/base/text.hpp"
#include "freshet/engine/buildkit/image_config.hpp"
#include "freshet/engine/docker/image_sources.hpp"
#include "freshet/pipeline/steps/engine_push.hpp"
#include "freshet/pipeline/steps/watched_source.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::pipeline {
namespace {

constexpr int k_unauthorized = 401;

std::vector<std::string> tags_of(const PublishRequest& request) {
  std::vector<std::string> tags;
  std::ranges::transform(request.references, std::back_inserter(tags), &oci::Reference::tag);
  return tags;
}

/// What a user may do about a refusal; empty when that is not known.
std::string hint_for(int http_status, const PublishRequest& request) {
  const std::string name = request.destination.integration_name();
  switch (http_status) {
    case k_unauthorized:
      return name.empty() ? "check the 'credentials' of the step"
                          : fmt::format(
                                "'freshet registry test {}' says what is wrong, 'freshet registry "
                                "set-password {}' renews the password",
                                name,
                                name);
    case 403:
      return "the login is right, but may not push there";
    case 500:
    case 507:
      return "its disk may be full: the registry's own log tells";
    default:
      return {};
  }
}

void tell_names(const StepScope& scope, const PublishRequest& request) {
  for (const oci::Reference& reference : request.references) {
    scope.log.line(fmt::format("Tagging image as: {}", reference.to_string()));
  }
}

/// What was not there already, in one line.
void tell_counts(const StepScope& scope, const oci::MoveCounts& counts) {
  std::vector<std::string> parts;
  const auto add = [&](int count, std::string_view what) {
    if (count > 0) {
      parts.push_back(fmt::format("{} {}", count, what));
    }
  };
  add(counts.blobs_uploaded, "sent");
  add(counts.blobs_copied, "copied from another registry");
  add(counts.blobs_mounted, "mounted from another repository");
  add(counts.blobs_present, "there already");
  add(counts.referrers, "signatures and the like");
  scope.log.line(fmt::format(
      "Blobs: {}; {} sent",
      parts.empty() ? "none" : join(parts, ", "),
      human_size(counts.bytes_sent)));
}

Published make_published(
    const StepScope& scope, const PublishRequest& request, const oci::Descriptor& manifest) {
  Published published;
  published.repo_digest =
      fmt::format("{}@{}", request.references.front().name(), manifest.digest.to_string());
  for (const oci::Reference& reference : request.references) {
    scope.log.line(fmt::format(
        "{}: digest: {} size: {}",
        reference.tag,
        manifest.digest.to_string(),
        manifest.size_bytes));
    published.tags.push_back(
        {reference.domain, reference.path, reference.tag, request.destination.integration_name()});
  }
  return published;
}

void tell_made(
    const StepScope& scope, const oci::Place& place, const registries::MadeRepository& made) {
  if (made.is_new) {
    scope.log.line(fmt::format("Created repository {}", place.name()));
  }
  if (!made.policy_problem.empty()) {
    scope.log.line(fmt::format(
        "warning: repository {} has no lifecycle policy: {}", place.name(), made.policy_problem));
  }
}

Awaitable<oci::Place> open_place(Ctx ctx, StepScope scope, PublishRequest request) {
  oci::Place place;
  place.registry = co_await open_destination(ctx, scope, request.destination);
  place.repository = request.references.at(0).path;
  if (request.destination.integration) {
    const registries::MadeRepository made = co_await scope.services.connections.make_repository(
        ctx, *request.destination.integration, place.repository, request.destination.aws);
    tell_made(scope, place, made);
  }
  co_return place;
}

/// A refused login often comes without words, in answer to a question for something else: then the
/// registry is asked about the login itself.
Awaitable<Error> with_words(Ctx ctx, StepScope scope, Destination destination, Error refusal) {
  constexpr auto k_limit = std::chrono::seconds(10);
  try {
    const auto registry = co_await open_destination(ctx, scope, std::move(destination));
    co_await registry->check_credentials(ctx.within(k_limit));
  } catch (const Error& error) {
    if (error.http_status() == k_unauthorized) {
      co_return error;
    }
  }
  co_return refusal;
}

/// Adds to an error what was pushed with whose login, and what to do about it. A TargetFailure
/// stays one.
Awaitable<Published> explained(
    Ctx ctx, StepScope scope, PublishRequest request, Awaitable<Published> work) {
  std::optional<Error> failure;
  bool is_targets = false;
  try {
    co_return co_await std::move(work);
  } catch (const oci::TargetFailure& error) {
    failure = error;
    is_targets = true;
  } catch (const Error& error) {
    failure = error;
  }
  if (failure->http_status() == k_unauthorized) {
    failure = co_await with_words(ctx, scope, request.destination, *failure);
  }
  failure->add_frame(fmt::format(
      "pushing {} with {}",
      request.references.front().to_string(),
      request.destination.login_words()));
  const std::string hint = hint_for(failure->http_status(), request);
  if (failure->hint().empty() && !hint.empty()) {
    Error hinted = std::move(*failure).with_hint(hint);
    failure = std::move(hinted);
  }
  if (is_targets) {
    throw oci::TargetFailure(*failure);
  }
  throw *failure;
}

oci::ImageMover::ProgressLine progress_of(const StepScope& scope) {
  return [&log = scope.log](std::string_view line) { log.line(line); };
}

engine::ReadingOptions reading_options(const StepScope& scope) {
  engine::ReadingOptions options;
  options.read_config = [&engine = scope.services.engine](Ctx ctx, std::string name) {
    return engine::read_image_config(ctx, engine, std::move(name));
  };
  options.say = progress_of(scope);
  return options;
}

/// nullopt, and a line in the log, when the image cannot be read from here.
Awaitable<std::optional<oci::MoveReport>> push_layers(
    Ctx ctx, StepScope scope, std::string image_id, PublishRequest request) {
  oci::Place target = co_await open_place(ctx, scope, request);
  std::optional<Error> unreadable;
  std::optional<Error> failure;
  try {
    auto opened = co_await engine::make_image_source(
        ctx, scope.services.engine, scope.services.pool, image_id, reading_options(scope));
    WatchedSource source(std::move(opened));
    try {
      oci::PushOptions options;
      co_return co_await scope.services.mover.push(
          ctx, source, target, tags_of(request), options, progress_of(scope));
    } catch (const Error& error) {
      if (!source.has_failed()) {
        failure = error;
      }
      unreadable = error;
    }
  } catch (const Error& error) {
    unreadable = error;
  }
  if (failure) {
    throw *failure;
  }
  scope.log.line(fmt::format(
      "warning: cannot read the image from here: {}; the engine pushes it itself",
      unreadable->message()));
  co_return std::nullopt;
}

Awaitable<Published> push_somehow(
    Ctx ctx, StepScope scope, std::string image_id, PublishRequest request) {
  const std::optional<oci::MoveReport> report = co_await push_layers(ctx, scope, image_id, request);
  if (!report) {
    co_return co_await push_by_engine(ctx, scope, image_id, request);
  }
  tell_counts(scope, *report);
  Published published = make_published(scope, request, report->manifest);
  const FileLock lock = co_await lock_repository(scope, request.references.at(0).name());
  for (const oci::Reference& reference : request.references) {
    co_await scope.services.engine.tag_image(ctx, image_id, reference.name(), reference.tag);
  }
  co_return published;
}

Awaitable<oci::Place> open_target(Ctx ctx, StepScope scope, PublishRequest request) {
  try {
    co_return co_await open_place(ctx, scope, std::move(request));
  } catch (const Error& error) {
    throw oci::TargetFailure(error);
  }
}

Awaitable<Published> copy(Ctx ctx, StepScope scope, RegistryImage image, PublishRequest request) {
  const oci::Place target = co_await open_target(ctx, scope, request);
  const std::string digest = image.manifest.digest.to_string();
  if (image.place.name() == target.name()) {
    const oci::Descriptor manifest =
        co_await scope.services.mover.tag(ctx, target, digest, tags_of(request));
    co_return make_published(scope, request, manifest);
  }
  scope.log.line(fmt::format("Copying {} to {}", image.repo_digest(), target.name()));
  oci::CopyOptions options;
  options.referrers = true;
  const oci::MoveReport report = co_await scope.services.mover.copy(
      ctx, image.place, digest, target, tags_of(request), options, progress_of(scope));
  tell_counts(scope, report);
  co_return make_published(scope, request, report.manifest);
}

}  // namespace

Awaitable<Published> publish(
    Ctx ctx, StepScope scope, std::string image_id, PublishRequest request) {
  tell_names(scope, request);
  auto work = push_somehow(ctx, scope, std::move(image_id), request);
  co_return co_await explained(ctx, scope, std::move(request), std::move(work));
}

Awaitable<Published> publish(
    Ctx ctx, StepScope scope, RegistryImage image, PublishRequest request) {
  tell_names(scope, request);
  auto work = copy(ctx, scope, std::move(image), request);
  co_return co_await explained(ctx, scope, std::move(request), std::move(work));
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

}  // namespace freshet::pipeline
