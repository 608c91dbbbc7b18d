// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/build_key.hpp"

#include "freshet/base/text.hpp"
#include "freshet/cache/context_digest.hpp"
#include "freshet/cache/ignore_file.hpp"
#include "freshet/cache/image_key.hpp"
#include "freshet/engine/buildkit/dockerfile_source.hpp"
#include "freshet/oci/digest.hpp"
#include "freshet/pipeline/steps/base_images.hpp"
#include "freshet/pipeline/steps/registry_image.hpp"

#include <fmt/format.h>

namespace freshet::pipeline {
namespace {

/// Registries may not hold up a build for longer.
constexpr auto k_asking_limit = std::chrono::seconds(5);
constexpr std::size_t k_max_ignore_bytes = 4 << 20;

/// The text of a file of `tree`; empty when there is none.
std::string read_if_there(const engine::FileTree& tree, const std::string& path) {
  try {
    const auto file = tree.open(path);
    std::string text(k_max_ignore_bytes, '\0');
    text.resize(file->read(text.data(), text.size()));
    return text;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::not_found) {
      return {};
    }
    throw;
  }
}

/// The ignore file of the Dockerfile itself, where it has one, holds alone.
std::vector<std::string> find_excludes(const engine::BuildRequest& request) {
  const engine::DockerfileSource source = engine::load_dockerfile(request);
  const std::string own = source.file_name + ".dockerignore";
  bool has_own = false;
  source.tree->list({}, [&](const engine::FileEntry& entry) {
    has_own = has_own || entry.path == own;
    return true;
  });
  return cache::parse_ignore_file(
      has_own ? read_if_there(*source.tree, own)
              : read_if_there(engine::DirectoryTree(request.context_directory), ".dockerignore"));
}

fs::path memo_of(const StepScope& scope, const engine::BuildRequest& request) {
  const std::string name(oci::Digest::of(request.source_key).hex().substr(0, 40));
  return scope.services.data.path() / "contexts" / (name + ".memo");
}

/// What the Dockerfile names, and the builder's frontend where the build chooses one. Throws
/// unsupported with the reason when that cannot be told.
std::vector<std::string> find_images(
    const engine::BuildRequest& request, const std::string& dockerfile) {
  const std::string open_end = cache::why_open_ended(dockerfile);
  if (!open_end.empty()) {
    throw Error(ErrorCode::unsupported, open_end);
  }
  const auto open_images = find_open_images(dockerfile, request.build_arguments);
  if (!open_images.empty()) {
    throw Error(
        ErrorCode::unsupported,
        fmt::format("only the builder knows what '{}' is", printable(open_images.front(), 200)));
  }
  std::vector<std::string> images = find_base_images(dockerfile, request.build_arguments);
  const std::string frontend = cache::find_frontend(dockerfile);
  if (!frontend.empty()) {
    images.push_back(frontend);
  }
  for (const auto& [name, value] : request.build_arguments) {
    if (name == "BUILDKIT_SYNTAX" && !value.empty()) {
      images.push_back(value);
    }
  }
  return images;
}

Awaitable<std::vector<PinnedImage>> pin_all(
    Ctx ctx, StepScope scope, std::vector<std::string> images, PullOptions options) {
  std::vector<PinnedImage> pinned;
  for (const std::string& image : images) {
    pinned.push_back(co_await pin_image(ctx, scope, image, options));
  }
  co_return pinned;
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

Awaitable<BuildKey> make_key(
    Ctx ctx,
    StepScope scope,
    engine::BuildRequest request,
    std::string dockerfile,
    PullOptions options) {
  BuildKey out;
  const Ctx limited = ctx.within(k_asking_limit);
  std::vector<std::string> images = find_images(request, dockerfile);
  auto asking = pin_all(limited, scope, std::move(images), std::move(options));
  out.images = co_await with_deadline(limited, "asking for base images", std::move(asking));
  const auto digest = [request, memo = memo_of(scope, request)] {
    cache::ContextRequest context;
    context.root = request.context_directory;
    context.excludes = find_excludes(request);
    context.memo = memo;
    return cache::digest_context(context);
  };
  const cache::ContextDigest context = co_await offload(scope.services.pool, digest);
  out.key = cache::make_image_key(to_inputs(request, dockerfile, out.images, context));
  scope.log.line(fmt::format(
      "Image key: {} ({} files, {} of context, {} read)",
      out.key,
      context.files,
      human_size(context.bytes),
      human_size(context.bytes_read)));
  co_return out;
}

}  // namespace

Awaitable<BuildKey> find_build_key(
    Ctx ctx,
    StepScope scope,
    engine::BuildRequest request,
    std::string dockerfile,
    PullOptions options) {
  BuildKey none;
  try {
    co_return co_await make_key(
        ctx, scope, std::move(request), std::move(dockerfile), std::move(options));
  } catch (const Error& error) {
    none.problem = error.message();
  }
  co_return none;
}

Awaitable<bool> is_still_true(Ctx ctx, StepScope scope, BuildKey key, PullOptions options) {
  const Ctx limited = ctx.within(k_asking_limit);
  try {
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
        "warning: cannot tell whether base images changed meanwhile: {}", error.message()));
  }
  co_return false;
}

}  // namespace freshet::pipeline
