// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/image_source.hpp"

#include "freshet/base/text.hpp"

#include <fmt/format.h>

namespace freshet::pipeline {

Awaitable<std::string> make_present(
    Ctx ctx, StepScope scope, StepImage image, PullOptions options) {
  const auto found = co_await scope.services.engine.find_image(ctx, image.id);
  if (found) {
    co_return image.id;
  }
  for (const std::string& repo_digest : image.repo_digests) {
    const auto named = co_await scope.services.engine.find_image(ctx, repo_digest);
    if (named) {
      co_return named->id;
    }
  }
  if (image.repo_digests.empty()) {
    throw Error(
        ErrorCode::not_found,
        fmt::format("the engine lost the image of '{}', and it was not pushed", image.logical_name))
        .with_hint("something removed it while the pipeline ran, such as 'docker image prune'");
  }
  scope.log.line(
      fmt::format("The engine does not have {}: pulling it", image.config_digest.substr(0, 19)));
  oci::Reference reference = oci::Reference::parse(image.repo_digests.front());
  co_return co_await pull_image(
      ctx, scope, std::move(reference), PullPolicy::always, std::move(options));
}

Awaitable<std::string> resolve_image(Ctx ctx, StepScope scope, Text text, PullOptions options) {
  if (const StepImage* image = scope.run.find_step_image(text)) {
    co_return co_await make_present(ctx, scope, *image, std::move(options));
  }
  const std::string expanded(trim(scope.run.expand(text)));
  scope.run.require_resolved(text, expanded, "image");
  if (const StepImage* image = scope.run.find_image_by_id(expanded)) {
    co_return co_await make_present(ctx, scope, *image, std::move(options));
  }
  oci::Reference reference = parse_reference(expanded, text.at);
  co_return co_await pull_image(
      ctx, scope, std::move(reference), PullPolicy::when_stale, std::move(options));
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
