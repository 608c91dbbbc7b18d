// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/image_source.hpp"

#include "freshet/base/text.hpp"
#include "freshet/oci/distribution/client.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::pipeline {
namespace {

constexpr auto k_freshness_limit = std::chrono::seconds(5);

Awaitable<std::string> pull(Ctx ctx, StepScope scope, const oci::Reference& reference) {
  std::optional<engine::RegistryAuth> auth;
  if (const auto login = scope.services.integrations.pull_auth(reference.domain)) {
    auth = to_engine_auth(scope.run, *login);
  }
  oci::Reference exact = reference;
  if (!exact.digest) {
    exact.tag = exact.tag_or_latest();
  }
  scope.log.line(fmt::format("Pulling image {}", exact.to_string()));
  engine::ProgressLine on_progress = [&scope](std::string_view line) { scope.log.line(line); };
  co_await in_context(
      fmt::format("pulling {}", exact.to_string()),
      scope.services.engine.pull_image(ctx, exact.to_string(), auth, on_progress));
  const auto image = co_await scope.services.engine.find_image(ctx, exact.to_string());
  if (!image) {
    throw Error(
        ErrorCode::not_found,
        fmt::format("the engine pulled {} but does not have it", exact.to_string()));
  }
  co_return image->id;
}

/// The digest that the registry has under the tag now.
Awaitable<std::string> current_digest(Ctx ctx, StepScope scope, const oci::Reference& reference) {
  std::optional<oci::Credentials> credentials;
  if (const auto auth = scope.services.integrations.pull_auth(reference.domain)) {
    credentials = oci::Credentials{auth->username, auth->password};
  }
  oci::RegistryClient registry(scope.services.http, reference.domain, credentials);
  const auto manifest =
      co_await registry.find_manifest(ctx, reference.path, reference.tag_or_latest());
  co_return manifest ? manifest->digest.to_string() : std::string();
}

Awaitable<bool> is_stale(
    Ctx ctx, StepScope scope, const oci::Reference& reference, const engine::ImageDetails& image) {
  const std::vector<std::string> digests = digests_of(image, reference);
  if (reference.digest || digests.empty()) {
    co_return false;  // a digest cannot move; what never came from this repository cannot be older
  }
  std::string problem;
  std::string digest;
  try {
    digest = co_await current_digest(ctx.within(k_freshness_limit), scope, reference);
  } catch (const Error& error) {
    problem = error.message();
  }
  if (!problem.empty() || digest.empty()) {
    scope.log.line(fmt::format(
        "warning: cannot ask whether {} is up to date, using the engine's copy: {}",
        reference.to_string(),
        problem.empty() ? "the registry does not have it" : problem));
    co_return false;
  }
  co_return std::find(digests.begin(), digests.end(), digest) == digests.end();
}

}  // namespace

Awaitable<std::string> pull_image(
    Ctx ctx, StepScope scope, oci::Reference reference, PullPolicy policy) {
  if (policy == PullPolicy::when_stale) {
    const auto image = co_await scope.services.engine.find_image(ctx, reference.to_string());
    if (image && !co_await is_stale(ctx, scope, reference, *image)) {
      co_return image->id;
    }
  }
  co_return co_await pull(ctx, scope, reference);
}

Awaitable<std::string> make_present(Ctx ctx, StepScope scope, StepImage image) {
  if (co_await scope.services.engine.find_image(ctx, image.id)) {
    co_return image.id;
  }
  for (const std::string& repo_digest : image.repo_digests) {
    scope.log.line(fmt::format("The engine lost {}: pulling it back", image.id.substr(0, 19)));
    co_return co_await pull(ctx, scope, oci::Reference::parse(repo_digest));
  }
  throw Error(
      ErrorCode::not_found,
      fmt::format("the engine lost the image of '{}', and it was not pushed", image.logical_name))
      .with_hint("something removed it while the pipeline ran, such as 'docker image prune'");
}

Awaitable<std::string> resolve_image(Ctx ctx, StepScope scope, Text text) {
  if (const StepImage* image = scope.run.find_step_image(text)) {
    co_return co_await make_present(ctx, scope, *image);
  }
  const std::string expanded(trim(scope.run.expand(text)));
  scope.run.require_resolved(text, expanded, "image");
  if (const StepImage* image = scope.run.find_image_by_id(expanded)) {
    co_return co_await make_present(ctx, scope, *image);
  }
  co_return co_await pull_image(
      ctx, scope, parse_reference(expanded, text.at), PullPolicy::when_stale);
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

oci::Reference parse_reference(const std::string& text, const SourcePosition& at) {
  try {
    return oci::Reference::parse(trim(text));
  } catch (Error& error) {
    error.set_position_if_unknown(at);
    throw;
  }
}

std::string name_without_registry(const std::string& text) {
  const std::string without_digest(trim(text.substr(0, text.find('@'))));
  const std::size_t colon = without_digest.rfind(':');
  const std::size_t slash = without_digest.rfind('/');
  const bool has_tag = colon != std::string::npos && (slash == std::string::npos || colon > slash);
  const std::string name = has_tag ? without_digest.substr(0, colon) : without_digest;
  const std::optional<std::string> domain = oci::leading_domain(name);
  return domain ? name.substr(domain->size() + 1) : name;
}

}  // namespace freshet::pipeline
