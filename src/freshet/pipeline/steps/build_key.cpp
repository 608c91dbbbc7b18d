// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/build_key.hpp"

#include "freshet/base/ids.hpp"
#include "freshet/base/text.hpp"
#include "freshet/cache/image_key.hpp"
#include "freshet/pipeline/steps/build_context.hpp"
#include "freshet/pipeline/steps/registry_image.hpp"

#include <fmt/format.h>

namespace freshet::pipeline {
namespace {

/// Registries may not hold up a build for longer.
constexpr auto k_asking_limit = std::chrono::seconds(5);

dockerfile::BuildInputs to_build_inputs(const engine::BuildRequest& request) {
  dockerfile::BuildInputs inputs;
  for (const auto& [name, value] : request.build_arguments) {
    inputs.arguments[name] = value;  // the builder, too, takes the last of several
  }
  inputs.target = request.target;
  const std::string platform = own_platform();
  inputs.platform.os = platform.substr(0, platform.find('/'));
  inputs.platform.architecture = platform.substr(platform.find('/') + 1);
  inputs.build_platform = inputs.platform;
  return inputs;
}

/// Triggers of base images (ONBUILD) are not looked at: they are the same as long as those are.
dockerfile::Evaluation evaluate(
    const engine::BuildRequest& request, const std::string& dockerfile) {
  const dockerfile::File file = dockerfile::parse(dockerfile);
  const auto no_config = [](const std::string&, const oci::Platform&) { return std::nullopt; };
  dockerfile::Evaluation evaluation =
      dockerfile::evaluate(file, to_build_inputs(request), no_config);
  if (file.diagnostics.has_errors() || evaluation.diagnostics.has_errors()) {
    throw Error(ErrorCode::unsupported, "the Dockerfile is not understood");
  }
  return evaluation;
}

/// What the Dockerfile names, and the builder's frontend where the build chooses one.
std::vector<std::string> find_images(
    const engine::BuildRequest& request,
    const std::string& dockerfile,
    const dockerfile::Evaluation& evaluation) {
  std::vector<std::string> images = cache::find_images(evaluation);
  if (const auto frontend = dockerfile::requested_syntax(dockerfile)) {
    images.push_back(frontend->text);
  }
  for (const auto& [name, value] : request.build_arguments) {
    if (name == "BUILDKIT_SYNTAX" && !value.empty()) {
      images.push_back(value);
    }
  }
  return images;
}

/// Adds to `pinned` those that can be found out. Throws what was wrong with the first other one.
Awaitable<void> pin_all(
    Ctx ctx,
    StepScope scope,
    std::vector<std::string> images,
    PullOptions options,
    std::vector<PinnedImage>& pinned) {
  std::optional<Error> problem;
  for (const std::string& image : images) {
    try {
      pinned.push_back(co_await pin_image(ctx, scope, image, options));
    } catch (const Error& error) {
      problem = problem ? problem : error;
    }
  }
  if (problem) {
    throw *problem;
  }
}

/// The same, within a deadline; returns what was wrong, empty when nothing was.
Awaitable<std::string> try_pin_all(
    Ctx limited,
    StepScope scope,
    std::vector<std::string> images,
    PullOptions options,
    std::vector<PinnedImage>& pinned) {
  auto asking = pin_all(limited, scope, std::move(images), std::move(options), pinned);
  try {
    co_await with_deadline(limited, "asking for base images", std::move(asking));
  } catch (const Error& error) {
    co_return error.message();
  }
  co_return std::string();
}

std::shared_ptr<const cache::KeyedBuild> key_instructions(
    const dockerfile::Evaluation& evaluation,
    const std::vector<PinnedImage>& images,
    std::vector<cache::ContextEntry> context) {
  cache::BuildFacts facts;
  facts.context = std::move(context);
  for (const PinnedImage& image : images) {
    // By what is in it: an engine may call one image by the same digest with and without `engine`.
    facts.images[image.written] = image.digest.substr(image.digest.rfind(' ') + 1);
  }
  facts.build = make_id();
  return std::make_shared<const cache::KeyedBuild>(
      cache::make_instruction_keys(evaluation, std::move(facts)));
}

cache::ImageInputs to_inputs(
    const engine::BuildRequest& request,
    const std::string& dockerfile,
    const std::vector<PinnedImage>& images,
    const cache::ContextDigest& context) {
  cache::ImageInputs inputs;
  inputs.dockerfile = dockerfile;
  inputs.context = context.digest;
  inputs.build_arguments = request.build_arguments;
  inputs.target = request.target;
  inputs.platform = own_platform();
  inputs.engine = "docker";
  for (const PinnedImage& image : images) {
    inputs.images[image.written] = image.digest;
  }
  return inputs;
}

Awaitable<cache::ContextDigest> digest_context(StepScope scope, engine::BuildRequest request) {
  const auto digest = [request, data = scope.services.data.path()] {
    return cache::digest_context(make_context_request(request, data));
  };
  co_return co_await offload(scope.services.pool, digest);
}

Awaitable<void> make_key(
    Ctx ctx,
    StepScope scope,
    engine::BuildRequest request,
    std::string dockerfile,
    PullOptions options,
    BuildKey& out) {
  const Ctx limited = ctx.within(k_asking_limit);
  const dockerfile::Evaluation evaluation = evaluate(request, dockerfile);
  std::vector<std::string> images = find_images(request, dockerfile, evaluation);
  std::string problem =
      co_await try_pin_all(limited, scope, std::move(images), std::move(options), out.images);
  out.time_left = limited.deadline - Ctx::Clock::now();
  cache::ContextDigest context = co_await digest_context(scope, request);
  out.context = context.digest;
  const auto instructions = [&] {
    return key_instructions(evaluation, out.images, std::move(context.entries));
  };
  out.instructions = co_await offload(scope.services.pool, instructions);
  problem = problem.empty() ? cache::why_open_ended(evaluation) : problem;
  if (!problem.empty()) {
    throw Error(ErrorCode::unsupported, problem);
  }
  out.key = cache::make_image_key(to_inputs(request, dockerfile, out.images, context));
  scope.log.line(fmt::format(
      "Image key: {} ({} file{}, {} of context, {} read)",
      out.key,
      context.files,
      context.files == 1 ? "" : "s",
      human_size(context.bytes),
      human_size(context.bytes_read)));
}

}  // namespace

Awaitable<BuildKey> find_build_key(
    Ctx ctx,
    StepScope scope,
    engine::BuildRequest request,
    std::string dockerfile,
    PullOptions options) {
  BuildKey key;
  try {
    co_await make_key(
        ctx, scope, std::move(request), std::move(dockerfile), std::move(options), key);
  } catch (const Error& error) {
    key.problem = error.message();
  }
  co_return key;
}

Awaitable<bool> is_still_true(
    Ctx limited, StepScope scope, engine::BuildRequest request, BuildKey key, PullOptions options) {
  try {
    const cache::ContextDigest context = co_await digest_context(scope, std::move(request));
    if (context.digest != key.context) {
      scope.log.line("The context changed while the image was built: its key is not kept");
      co_return false;
    }
    for (const PinnedImage& image : key.images) {
      auto asking = is_unchanged(limited, scope, image, options);
      const bool is_same =
          co_await with_deadline(limited, "asking for base images", std::move(asking));
      if (!is_same) {
        scope.log.line(fmt::format(
            "{} changed while the image was built: its key is not kept",
            image.reference.to_string()));
        co_return false;
      }
    }
    co_return true;
  } catch (const Error& error) {
    scope.log.line(fmt::format(
        "warning: cannot tell whether the build's inputs changed meanwhile: {}", error.message()));
  }
  co_return false;
}

}  // namespace freshet::pipeline
