// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/pull.hpp"

#include "freshet/base/text.hpp"
#include "freshet/net/retry.hpp"
#include "freshet/oci/distribution/client.hpp"
#include "freshet/oci/manifest.hpp"
#include "freshet/pipeline/steps/registry_image.hpp"
#include "freshet/pipeline/steps/registry_load.hpp"
#include "freshet/registries/connections.hpp"
#include "freshet/registries/engine_reach.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace freshet::pipeline {
namespace {

using registries::PullCandidate;

constexpr auto k_freshness_limit = std::chrono::seconds(5);
/// The engine tries the parts of an image again by itself, but not its manifest.
constexpr net::RetryPolicy k_pull_retries{
    3, std::chrono::milliseconds(300), std::chrono::milliseconds(3000)};

double any_fraction() {
  return std::random_device()() / 4294967296.0;  // 2^32
}

oci::Reference with_tag(oci::Reference reference) {
  if (!reference.digest) {
    reference.tag = reference.tag_or_latest();
  }
  return reference;
}

/// The role holds where it leads to the registry that is meant.
registries::aws::StepOptions aws_options_for(
    const PullCandidate& candidate, const PullOptions& options) {
  const bool leads_there = candidate.integration &&
                           candidate.integration->provider == model::Provider::ecr &&
                           registries::aws::domain_for(*candidate.integration, options.aws) ==
                               candidate.reference.domain;
  return leads_there ? options.aws : registries::aws::StepOptions();
}

struct Pulled {
  std::string id;
  bool is_new = false;  // to the engine
};

Awaitable<Pulled> pull_once(
    Ctx ctx, StepScope scope, std::string reference, std::optional<engine::RegistryAuth> auth) {
  bool is_new = false;
  engine::ProgressLine on_progress = [&](std::string_view line) {
    is_new = is_new || line.starts_with("Status: Downloaded newer image");
    scope.log.line(line);
  };
  co_await in_context(
      fmt::format("pulling {}", reference),
      scope.services.engine.pull_image(ctx, reference, std::move(auth), std::move(on_progress)));
  const auto image = co_await scope.services.engine.find_image(ctx, reference);
  if (!image) {
    throw Error(
        ErrorCode::not_found, fmt::format("the engine pulled {} but does not have it", reference));
  }
  co_return Pulled{image->id, is_new};
}

/// Whether the registry has the image in the manifest format of before 2016 only; false when it
/// does not tell. Engines that pull it still do so without a word.
Awaitable<bool> is_schema1(Ctx ctx, StepScope scope, PullCandidate way, PullOptions options) {
  const oci::Reference reference = with_tag(way.reference);
  try {
    const auto registry = co_await open_registry(ctx, scope, std::move(way), std::move(options));
    const auto manifest = co_await registry->find_manifest(
        ctx, reference.path, reference.digest ? reference.digest->to_string() : reference.tag);
    co_return manifest.has_value() && oci::is_schema1_type(manifest->media_type);
  } catch (const Error&) {
    co_return false;
  }
}

/// The first sign of a new image's format that a pull may give.
Awaitable<void> tell_outdated_format(
    Ctx ctx, StepScope scope, PullCandidate way, PullOptions options) {
  const std::string reference = with_tag(way.reference).to_string();
  const bool is_outdated =
      co_await is_schema1(ctx.within(k_freshness_limit), scope, std::move(way), std::move(options));
  if (is_outdated) {
    scope.log.line(fmt::format(
        "warning: {} has the manifest format schema 1, deprecated since 2016, which newer engines "
        "do not pull: a push step pushes it in today's format",
        reference));
  }
}

Awaitable<std::string> pull_from(
    Ctx ctx, StepScope scope, PullCandidate candidate, PullOptions options) {
  const std::string reference = with_tag(candidate.reference).to_string();
  scope.log.line(fmt::format("Pulling image {}", reference));
  if (candidate.integration) {
    scope.log.line(fmt::format("Login: {}", candidate.reason));
  }
  const std::string obstacle = registries::why_beyond_engine(candidate);
  if (!obstacle.empty()) {
    scope.log.line(fmt::format("Pulling without the engine, which {}", obstacle));
    auto work = load_from_registry(ctx, scope, std::move(candidate), std::move(options));
    co_return co_await in_context(fmt::format("pulling {}", reference), std::move(work));
  }
  const auto auth = co_await find_engine_auth(ctx, scope, candidate, options);
  for (int attempt = 1;; ++attempt) {
    std::optional<Error> failure;
    try {
      Pulled pulled = co_await pull_once(ctx, scope, reference, auth);
      if (pulled.is_new) {
        co_await tell_outdated_format(ctx, scope, std::move(candidate), std::move(options));
      }
      co_return std::move(pulled.id);
    } catch (const Error& error) {
      failure = error;
    }
    const auto delay = is_retryable(failure->code())
                           ? net::next_delay(attempt, k_pull_retries, std::nullopt, &any_fraction)
                           : std::nullopt;
    if (!delay) {
      throw *failure;
    }
    scope.log.line(
        fmt::format("warning: {}: trying to pull {} again", failure->message(), reference));
    co_await sleep_for(*delay);
  }
}

/// Tries one way after the other.
Awaitable<std::string> pull(
    Ctx ctx, StepScope scope, oci::Reference reference, PullOptions options) {
  const std::vector<PullCandidate> ways = co_await plan_pull(ctx, scope, reference, options);
  std::optional<Error> told;  // of the reference that the user wrote
  for (std::size_t i = 0; i < ways.size(); ++i) {
    std::optional<Error> failure;
    try {
      co_return co_await pull_from(ctx, scope, ways[i], options);
    } catch (const Error& error) {
      failure = error;
    }
    if (i + 1 < ways.size()) {
      scope.log.line(fmt::format(
          "warning: cannot pull {}: {}; trying {}",
          with_tag(ways[i].reference).to_string(),
          failure->message(),
          with_tag(ways[i + 1].reference).to_string()));
    }
    if (!told || ways[i].reference == reference) {
      told = failure;
    }
  }
  throw *told;
}

/// What the engine has under a name.
struct EngineCopy {
  std::vector<std::string> digests;  // of its pulls and pushes; may be empty
  std::string image_id;
};

/// Whether the registry has another image under the tag than the engine. What the engine never
/// exchanged with the registry has no digest there: then what the engine's id names is compared,
/// the manifest or the configuration.
Awaitable<bool> has_moved(
    Ctx ctx,
    std::shared_ptr<oci::RegistryClient> registry,
    oci::Reference reference,
    EngineCopy copy) {
  const std::string tag = reference.tag_or_latest();
  if (!copy.digests.empty()) {
    const auto manifest = co_await registry->find_manifest(ctx, reference.path, tag);
    if (!manifest) {
      throw Error(ErrorCode::not_found, "the registry does not have it");
    }
    co_return std::ranges::find(copy.digests, manifest->digest.to_string()) == copy.digests.end();
  }
  const oci::Place place{registry, reference.path};
  const oci::ParsedManifest parsed = co_await get_own_manifest(ctx, place, tag);
  if (parsed.config && parsed.config->descriptor.digest.to_string() == copy.image_id) {
    co_return false;
  }
  // With containerd's image store the engine's id is the manifest's digest.
  const auto manifest = co_await registry->find_manifest(ctx, reference.path, tag);
  co_return !manifest || manifest->digest.to_string() != copy.image_id;
}

/// Asks the first of `ways` that answers.
Awaitable<bool> ask_whether_moved(
    Ctx ctx,
    StepScope scope,
    std::vector<PullCandidate> ways,
    PullOptions options,
    EngineCopy copy) {
  std::optional<Error> failure;
  for (const PullCandidate& way : ways) {
    try {
      const Ctx limited = ctx.within(k_freshness_limit);
      auto registry = co_await open_registry(limited, scope, way, options);
      co_return co_await has_moved(limited, std::move(registry), way.reference, copy);
    } catch (const Error& error) {
      failure = error;
    }
  }
  throw *failure;
}

Awaitable<bool> is_stale(
    Ctx ctx,
    StepScope scope,
    oci::Reference reference,
    engine::ImageDetails image,
    PullOptions options) {
  if (reference.digest) {
    co_return false;  // a digest cannot move
  }
  const std::vector<PullCandidate> ways = co_await plan_pull(ctx, scope, reference, options);
  const EngineCopy copy{known_digests(image, ways), image.id};
  // What the engine did not pull itself has no digest, wherever it is from.
  const bool is_beyond_engine = std::ranges::any_of(
      ways, [](const PullCandidate& way) { return !registries::why_beyond_engine(way).empty(); });
  const bool was_here =
      is_beyond_engine || !copy.digests.empty() || co_await was_pushed_from_here(scope, reference);
  if (!was_here) {
    co_return false;  // what was never in this repository cannot be older than it
  }
  // The mirror, then the registry itself; the fallback's image need not be the same.
  const auto own = std::ranges::find(ways, reference, &PullCandidate::reference);
  const std::vector<PullCandidate> asked(ways.begin(), own == ways.end() ? own : own + 1);
  std::string problem;
  try {
    co_return co_await ask_whether_moved(ctx, scope, asked, options, copy);
  } catch (const Error& error) {
    problem = error.message();
  }
  scope.log.line(fmt::format(
      "warning: cannot ask whether {} is up to date, using the engine's copy: {}",
      reference.to_string(),
      problem));
  co_return false;
}

Awaitable<std::string> pull_now(
    Ctx ctx, StepScope scope, oci::Reference reference, PullPolicy policy, PullOptions options) {
  if (policy == PullPolicy::when_stale) {
    const auto image = co_await scope.services.engine.find_image(ctx, reference.to_string());
    const bool is_fresh = image && !co_await is_stale(ctx, scope, reference, *image, options);
    if (is_fresh) {
      co_return image->id;
    }
  }
  co_return co_await pull(ctx, scope, std::move(reference), std::move(options));
}

/// Equal for pulls that are one: by another login it is another one.
std::string key_of(const oci::Reference& reference, PullPolicy policy, const PullOptions& options) {
  return fmt::format(
      "{} {} {} {} {}",
      with_tag(reference).to_string(),
      policy == PullPolicy::always,
      join(options.contexts, ","),
      options.aws.role_arn,
      options.aws.session_name);
}

}  // namespace

PullOptions make_pull_options(
    const StepScope& scope, const std::vector<Text>& contexts, const AwsFields& aws) {
  PullOptions options;
  for (const Text& context : contexts) {
    const std::string name(trim(scope.run.expand(context)));
    scope.run.require_resolved(context, name, "registry_context");
    options.contexts.push_back(name);
  }
  if (aws.role_arn) {
    AwsFields role = aws;
    role.region.reset();
    options.aws = resolve_aws_options(scope, role, std::nullopt);
  }
  return options;
}

registries::aws::StepOptions resolve_aws_options(
    const StepScope& scope,
    const AwsFields& fields,
    const std::optional<model::RegistryIntegration>& registry) {
  const auto resolve = [&](const std::optional<Text>& text, std::string_view name) {
    std::optional<std::string> value;
    if (text) {
      value = std::string(trim(scope.run.expand(*text)));
      scope.run.require_resolved(*text, *value, name);
    }
    return value;
  };
  registries::aws::WrittenStepOptions written;
  written.region = resolve(fields.region, "region");
  written.role_arn = resolve(fields.role_arn, "role_arn");
  written.session_name = resolve(fields.session_name, "aws_session_name");
  written.duration_seconds = fields.duration_seconds;
  try {
    return registries::aws::to_step_options(written, registry);
  } catch (Error& error) {
    error.set_position_if_unknown(fields.region ? fields.region->at : scope.step.at);
    throw;
  }
}

Awaitable<std::vector<PullCandidate>> plan_pull(
    Ctx, StepScope scope, oci::Reference reference, PullOptions options) {
  const auto list = [integrations = &scope.services.integrations] { return integrations->list(); };
  std::vector<model::RegistryIntegration> all = co_await offload(scope.services.pool, list);
  for (model::RegistryIntegration& integration : all) {
    // With the role of another account an integration is for that account's registry.
    const std::string domain = registries::aws::domain_for(integration, options.aws);
    if (domain == reference.domain) {
      integration.domain = domain;
    }
  }
  co_return registries::resolve_pull(all, reference, options.contexts);
}

Awaitable<std::shared_ptr<oci::RegistryClient>> open_registry(
    Ctx ctx, StepScope scope, PullCandidate candidate, PullOptions options) {
  const registries::aws::StepOptions aws = aws_options_for(candidate, options);
  registries::Connections& connections = scope.services.connections;
  if (const auto login = co_await connections.login(ctx, candidate, aws)) {
    scope.run.masker().add(login->password);
  }
  co_return co_await connections.client(ctx, std::move(candidate), aws);
}

Awaitable<std::optional<engine::RegistryAuth>> find_engine_auth(
    Ctx ctx, StepScope scope, PullCandidate candidate, PullOptions options) {
  const registries::aws::StepOptions aws = aws_options_for(candidate, options);
  const auto login = co_await scope.services.connections.login(ctx, std::move(candidate), aws);
  co_return login ? std::optional(to_engine_auth(scope.run, *login)) : std::nullopt;
}

Awaitable<std::string> pull_image(
    Ctx ctx, StepScope scope, oci::Reference reference, PullPolicy policy, PullOptions options) {
  std::string key = key_of(reference, policy, options);
  if (scope.run.pulls().is_under_way(key)) {
    scope.log.line(fmt::format("Waiting for another step that pulls {}", reference.to_string()));
  }
  SingleFlight::Work work = [=] { return pull_now(ctx, scope, reference, policy, options); };
  co_return co_await scope.run.pulls().join(std::move(key), std::move(work));
}

std::vector<std::string> known_digests(
    const engine::ImageDetails& image, const std::vector<PullCandidate>& ways) {
  std::vector<std::string> out;
  for (const PullCandidate& way : ways) {
    std::ranges::copy(digests_of(image, way.reference), std::back_inserter(out));
  }
  return out;
}

Awaitable<bool> was_pushed_from_here(StepScope scope, oci::Reference reference) {
  const auto find = [images = &scope.services.data.images(),
                     name = with_tag(std::move(reference)).to_string()] {
    return images->find(name).has_value();
  };
  co_return co_await offload(scope.services.pool, find);
}

std::vector<std::string> digests_of(
    const engine::ImageDetails& image, const oci::Reference& reference) {
  std::vector<std::string> out;
  for (const std::string& entry : image.repo_digests) {
    const oci::Reference known = oci::Reference::parse(entry);
    if (known.name() == reference.name() && known.digest) {
      out.push_back(known.digest->to_string());
    }
  }
  return out;
}

engine::RegistryAuth to_engine_auth(RunState& run, const registries::RegistryLogin& login) {
  run.masker().add(login.password);
  return {login.server, login.username, login.password};
}

}  // namespace freshet::pipeline
