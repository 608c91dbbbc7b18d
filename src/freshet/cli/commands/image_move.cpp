// SPDX-License-Identifier: Apache-2.0
#include "freshet/cli/commands/image_move.hpp"

#include "freshet/base/text.hpp"
#include "freshet/cli/image_places.hpp"
#include "freshet/cli/json_output.hpp"
#include "freshet/cli/moved_image.hpp"
#include "freshet/engine/docker/image_sources.hpp"
#include "freshet/oci/reference.hpp"
#include "freshet/pipeline/steps/registry_image.hpp"
#include "freshet/registries/naming.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace freshet::cli {
namespace {

using model::RegistryIntegration;
using pipeline::RegistryImage;

struct MoveOptions {
  std::string source;  // SRC or IMAGE
  std::string target;  // DST or TAG
  std::string from;  // integration to read with
  std::string to;  // integration to write with
  std::vector<std::string> tags;
  std::string name;
  std::string platform;
  bool all_platforms = false;
  bool referrers = false;
  bool json = false;
};

oci::ImageMover::ProgressLine progress(const MoveOptions& options) {
  return options.json ? oci::ImageMover::ProgressLine() : [](std::string_view line) {
    fmt::print(stderr, "{}\n", printable(line, 1000));
  };
}

/// Within one repository a copy is no more than a tag.
Awaitable<oci::MoveReport> copy_or_tag(
    Ctx ctx,
    Runtime& runtime,
    RegistryImage image,
    oci::Place place,
    std::vector<std::string> tags,
    oci::CopyOptions options,
    oci::ImageMover::ProgressLine progress) {
  const std::string digest = image.manifest.digest.to_string();
  if (image.place.name() == place.name() && options.all_platforms) {
    oci::Descriptor manifest = co_await runtime.mover().tag(ctx, place, digest, std::move(tags));
    co_return oci::MoveReport{oci::MoveCounts(), std::move(manifest)};
  }
  co_return co_await runtime.mover().copy(
      ctx, image.place, digest, place, std::move(tags), std::move(options), std::move(progress));
}

/// Moves an image that a registry has, by its digest.
Awaitable<MovedImage> move(
    Ctx ctx,
    Runtime& runtime,
    RegistryImage image,
    Side target,
    std::vector<std::string> tags,
    oci::CopyOptions options,
    oci::ImageMover::ProgressLine progress) {
  const oci::Place place = co_await open_side(ctx, runtime, target, true);
  std::string frame = fmt::format("copying {} to {}", image.repo_digest(), place.name());
  const auto started = Ctx::Clock::now();
  auto work =
      copy_or_tag(ctx, runtime, image, place, tags, std::move(options), std::move(progress));
  oci::MoveReport report = co_await in_context(std::move(frame), std::move(work));
  MovedImage moved{image.repo_digest(), target.reference, std::move(tags), std::move(report), {}};
  moved.duration =
      std::chrono::duration_cast<std::chrono::milliseconds>(Ctx::Clock::now() - started);
  co_return moved;
}

/// Adds the new tags to the image's record, where there is one. What was not built or pushed here
/// has none.
Awaitable<void> note_tags(Ctx ctx, Runtime& runtime, MovedImage moved, Side target) {
  oci::Place place = co_await open_side(ctx, runtime, target, false);
  const std::string repo_digest = place.name() + "@" + moved.report.manifest.digest.to_string();
  RegistryImage image{std::move(place), moved.report.manifest};
  const model::ImageRecord described =
      co_await pipeline::describe_registry_image(ctx, std::move(image));
  if (!runtime.data().images().find(described.internal_image_id)) {
    co_return;
  }
  for (const std::string& tag : moved.tags) {
    const model::ImageTag named{
        target.reference.domain,
        target.reference.path,
        tag,
        target.integration ? target.integration->name : std::string()};
    runtime.data().images().add_tag(described.internal_image_id, named, repo_digest);
  }
}

void tell(const MovedImage& moved, const MoveOptions& options) {
  if (options.json) {
    print_json(to_json(moved));
  } else {
    print_moved(moved, stdout);
  }
}

Awaitable<void> copy(Ctx ctx, Runtime& runtime, MoveOptions options) {
  const Side source = find_side(runtime, options.source, options.from);
  const Side target = find_side(runtime, options.target, options.to);
  if (target.reference.digest) {
    throw Error(ErrorCode::invalid_input, "the target of a copy cannot be a digest")
        .with_hint("write a tag, or none for that of the source");
  }
  oci::Place place = co_await open_side(ctx, runtime, source, false);
  RegistryImage image = co_await look_up(ctx, std::move(place), source.reference);
  oci::CopyOptions how;
  how.all_platforms = options.all_platforms;
  how.platform = options.platform.empty() ? pipeline::own_platform() : options.platform;
  how.referrers = options.referrers;
  if (target.reference.tag.empty() && source.reference.tag.empty() && source.reference.digest) {
    throw Error(ErrorCode::invalid_input, "the copy of a digest needs a tag")
        .with_hint(fmt::format("write it behind the target: {}:TAG", target.reference.name()));
  }
  std::vector<std::string> tags{
      target.reference.tag.empty() ? source.reference.tag_or_latest() : target.reference.tag};
  MovedImage moved = co_await move(
      ctx, runtime, std::move(image), target, std::move(tags), std::move(how), progress(options));
  co_await note_tags(ctx, runtime, moved, target);
  tell(moved, options);
}

int run_copy(Runtime& runtime, MoveOptions options) {
  runtime.wait(copy(Ctx{}, runtime, std::move(options)));
  return 0;
}

void require_tags(const std::vector<std::string>& tags) {
  for (const std::string& tag : tags) {
    if (!oci::is_valid_tag(tag)) {
      throw Error(ErrorCode::invalid_input, fmt::format("'{}' is not a tag", printable(tag, 255)))
          .with_hint(
              "a tag has at most 128 letters, digits, '_', '.' and '-', and starts with neither "
              "'.' nor '-'");
    }
  }
}

/// From the engine, for an image that no registry has.
Awaitable<MovedImage> push_from_engine(
    Ctx ctx, Runtime& runtime, model::ImageRecord record, Side target, MoveOptions options) {
  const std::string id = "sha256:" + record.internal_image_id;
  auto source = co_await engine::make_image_source(ctx, runtime.engine(), runtime.pool(), id);
  const oci::Place place = co_await open_side(ctx, runtime, target, true);
  const oci::PushOptions how;
  const auto started = Ctx::Clock::now();
  oci::MoveReport report =
      co_await runtime.mover().push(ctx, *source, place, options.tags, how, progress(options));
  MovedImage moved{id, target.reference, options.tags, std::move(report), {}};
  moved.duration =
      std::chrono::duration_cast<std::chrono::milliseconds>(Ctx::Clock::now() - started);
  co_return moved;
}

Awaitable<MovedImage> promote_from_registry(
    Ctx ctx, Runtime& runtime, oci::Reference reference, Side target, MoveOptions options) {
  const Side source = find_side(runtime, reference.to_string(), options.from);
  oci::Place place = co_await open_side(ctx, runtime, source, false);
  RegistryImage image = co_await look_up(ctx, std::move(place), source.reference);
  oci::CopyOptions how;
  how.referrers = true;
  co_return co_await move(
      ctx, runtime, std::move(image), target, options.tags, how, progress(options));
}

Awaitable<void> promote(
    Ctx ctx, Runtime& runtime, KnownImage known, Side target, MoveOptions options) {
  std::optional<MovedImage> moved;
  if (known.reference) {
    moved = co_await promote_from_registry(ctx, runtime, *known.reference, target, options);
  } else {
    moved = co_await push_from_engine(ctx, runtime, *known.record, target, options);
  }
  co_await note_tags(ctx, runtime, *moved, target);
  tell(*moved, options);
}

int run_promote(Runtime& runtime, MoveOptions options) {
  require_tags(options.tags);
  const RegistryIntegration integration = runtime.integrations().get(options.to);
  const KnownImage known = find_known_image(runtime, options.source);
  const Side target = compose_side(integration, known, options.name, options.tags.front());
  runtime.wait(promote(Ctx{}, runtime, known, target, std::move(options)));
  return 0;
}

/// Where a tag goes to or comes from: the chosen registry; else where the image is.
Side find_tag_side(Runtime& runtime, const KnownImage& known, const MoveOptions& options) {
  if (!options.to.empty()) {
    const RegistryIntegration chosen = runtime.integrations().get(options.to);
    if (known.reference && known.reference->domain == oci::canonical_domain(chosen.domain)) {
      return Side{*known.reference, chosen};
    }
    const auto& tags = known.record ? known.record->tags : std::vector<model::ImageTag>();
    const auto there = std::ranges::find(tags, chosen.domain, &model::ImageTag::registry);
    if (there != tags.end()) {
      Side side;
      side.reference.domain = there->registry;
      side.reference.path = there->repository;
      side.integration = chosen;
      return side;
    }
    return compose_side(chosen, known, options.name, options.tags.front());
  }
  if (!known.reference) {
    throw Error(ErrorCode::invalid_input, fmt::format("image '{}' is in no registry", known.name))
        .with_hint("push it with 'freshet image promote IMAGE --registry NAME --tag TAG'");
  }
  return find_side(runtime, known.reference->to_string(), "");
}

int run_tag(Runtime& runtime, MoveOptions options) {
  options.tags = {options.target};
  require_tags(options.tags);
  const KnownImage known = find_known_image(runtime, options.source);
  const Side target = find_tag_side(runtime, known, options);
  runtime.wait(promote(Ctx{}, runtime, known, target, std::move(options)));
  return 0;
}

Awaitable<void> untag(Ctx ctx, Runtime& runtime, Side side, std::string tag) {
  const oci::Place place = co_await open_side(ctx, runtime, side, false);
  std::vector<std::string> tags{std::move(tag)};
  std::string frame = fmt::format("removing {}:{}", place.name(), tags.front());
  auto work = runtime.mover().untag(ctx, place, std::move(tags));
  co_await in_context(std::move(frame), std::move(work));
}

int run_untag(Runtime& runtime, MoveOptions options) {
  options.tags = {options.target};
  require_tags(options.tags);
  const KnownImage known = find_known_image(runtime, options.source);
  const Side side = find_tag_side(runtime, known, options);
  runtime.wait(untag(Ctx{}, runtime, side, options.target));
  const model::ImageTag removed{side.reference.domain, side.reference.path, options.target, ""};
  runtime.data().images().remove_tag(removed);
  fmt::print("Removed {}\n", removed.reference());
  return 0;
}

using Run = int (*)(Runtime&, MoveOptions);

void set_action(
    CLI::App* command, const std::shared_ptr<MoveOptions>& options, Run run, Action& action) {
  command->callback([options, run, &action] {
    action = [options, run](Runtime& runtime) { return run(runtime, *options); };
  });
}

void add_copy(CLI::App& group, Action& action) {
  const auto options = std::make_shared<MoveOptions>();
  CLI::App* copy = group.add_subcommand("copy", "Copy an image from one registry to another");
  copy->add_option("SRC", options->source, "Reference of the image")->required();
  copy->add_option("DST", options->target, "Where to; without tag: that of SRC")->required();
  copy->add_option("--from", options->from, "Connected registry to read with")->type_name("NAME");
  copy->add_option("--to", options->to, "Connected registry to write with")->type_name("NAME");
  CLI::Option* all = copy->add_flag(
      "--all-platforms", options->all_platforms, "The whole of an index, byte for byte");
  copy->add_option("--platform", options->platform, "Of an index, only this (default: as here)")
      ->type_name("OS/ARCH")
      ->excludes(all);
  copy->add_flag("--referrers", options->referrers, "Signatures, attestations and the like, too");
  copy->add_flag("--json", options->json, "Print JSON");
  copy->footer(
      "A reference whose host is connected is read or written with that registry's login. With\n"
      "--from or --to the named one is used, and a reference without host is below its domain and\n"
      "prefix.\n"
      "Examples:\n"
      "  freshet image copy docker.io/library/alpine:3.20 registry.example/base/alpine\n"
      "  freshet image copy --from staging --to prod app:1.4 app:1.4 --all-platforms --referrers");
  set_action(copy, options, &run_copy, action);
}

void add_promote(CLI::App& group, Action& action) {
  const auto options = std::make_shared<MoveOptions>();
  CLI::App* promote = group.add_subcommand("promote", "Bring an image to a connected registry");
  promote->add_option("IMAGE", options->source, "Id, name with tag, or reference")->required();
  promote->add_option("--registry", options->to, "The connected registry")
      ->type_name("NAME")
      ->required();
  promote->add_option("--tag", options->tags, "A tag there; may be repeated")
      ->type_name("TAG")
      ->allow_extra_args(false)
      ->required();
  promote->add_option("--name", options->name, "Name there (default: the image's own)")
      ->type_name("NAME");
  promote->add_flag("--json", options->json, "Print JSON");
  promote->footer(
      "All platforms, signatures and attestations go with it; its digest stays.\n"
      "Example:\n"
      "  freshet image promote 1f2e3d4c5b6a --registry prod --tag v1.4 --tag latest");
  set_action(promote, options, &run_promote, action);
}

void add_tag_commands(CLI::App& group, Action& action) {
  const auto add = [&](const char* name, const char* help, Run run) {
    const auto options = std::make_shared<MoveOptions>();
    CLI::App* command = group.add_subcommand(name, help);
    command->add_option("IMAGE", options->source, "Id, name with tag, or reference")->required();
    command->add_option("TAG", options->target, "The tag")->required();
    command->add_option("--registry", options->to, "The connected registry (default: where it is)")
        ->type_name("NAME");
    if (std::string_view(name) == "tag") {
      command->add_flag("--json", options->json, "Print JSON");
    }
    set_action(command, options, run, action);
  };
  add("tag", "Give an image one more tag in a registry", &run_tag);
  add("untag", "Remove a tag, not the image, from a registry", &run_untag);
}

}  // namespace

void add_image_move_commands(CLI::App& group, Action& action) {
  add_copy(group, action);
  add_promote(group, action);
  add_tag_commands(group, action);
}

}  // namespace freshet::cli
