// SPDX-License-Identifier: Apache-2.0
#include "freshet/cli/commands/image_move.hpp"

#include "freshet/base/text.hpp"
#include "freshet/cli/image_moves.hpp"
#include "freshet/cli/json_output.hpp"
#include "freshet/engine/docker/image_sources.hpp"
#include "freshet/oci/reference.hpp"
#include "freshet/pipeline/steps/registry_image.hpp"
#include "freshet/registries/naming.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iterator>

namespace freshet::cli {
namespace {

using model::RegistryIntegration;
using pipeline::RegistryImage;

struct MoveOptions {
  std::string source;  // IMAGE
  std::string target;  // TAG
  std::string from;  // integration to read with
  std::string to;  // integration to write with
  std::vector<std::string> tags;
  std::string name;
  bool json = false;
};

oci::ImageMover::ProgressLine progress(const MoveOptions& options) {
  return options.json ? oci::ImageMover::ProgressLine() : progress_on_stderr();
}

void tell(const MovedImage& moved, const MoveOptions& options) {
  if (options.json) {
    print_json(to_json(moved));
  } else {
    print_moved(moved, stdout);
  }
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
  const std::string own_id =
      co_await engine::get_image_by_config(ctx, runtime.engine(), runtime.pool(), id);
  auto source = co_await engine::make_image_source(ctx, runtime.engine(), runtime.pool(), own_id);
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
  co_return co_await move_image(
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
  require_in_reach(integration);  // before the image is read
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

/// Where the image is already, its manifest is read once and written once.
Awaitable<void> tag_in_place(
    Ctx ctx, Runtime& runtime, KnownImage known, Side target, MoveOptions options) {
  const oci::Place place = co_await open_side(ctx, runtime, target, false);
  const oci::Reference& image = *known.reference;
  const std::string what = image.digest ? image.digest->to_string() : image.tag_or_latest();
  const auto started = Ctx::Clock::now();
  std::string frame = fmt::format("tagging {}", image.to_string());
  auto work = runtime.mover().tag(ctx, place, what, options.tags);
  oci::Descriptor manifest = co_await in_context(std::move(frame), std::move(work));
  std::string source = place.name() + "@" + manifest.digest.to_string();
  oci::MoveReport report{oci::MoveCounts(), std::move(manifest)};
  MovedImage moved{std::move(source), target.reference, options.tags, std::move(report), {}};
  moved.duration =
      std::chrono::duration_cast<std::chrono::milliseconds>(Ctx::Clock::now() - started);
  co_await note_tags(ctx, runtime, moved, target);
  tell(moved, options);
}

int run_tag(Runtime& runtime, MoveOptions options) {
  options.tags = {options.target};
  require_tags(options.tags);
  const KnownImage known = find_known_image(runtime, options.source);
  const Side target = find_tag_side(runtime, known, options);
  if (known.reference && known.reference->name() == target.reference.name()) {
    runtime.wait(tag_in_place(Ctx{}, runtime, known, target, std::move(options)));
  } else {
    runtime.wait(promote(Ctx{}, runtime, known, target, std::move(options)));
  }
  return 0;
}

/// Where the tag to remove is: as the image's record says, when it knows that tag.
Side find_untag_side(Runtime& runtime, const KnownImage& known, const MoveOptions& options) {
  std::vector<model::ImageTag> there;
  if (known.record) {
    std::optional<RegistryIntegration> chosen;
    if (!options.to.empty()) {
      chosen = runtime.integrations().get(options.to);
    }
    const auto fits = [&](const model::ImageTag& tag) {
      return tag.tag == options.target &&
             (!chosen || tag.registry == oci::canonical_domain(chosen->domain));
    };
    std::ranges::copy_if(known.record->tags, std::back_inserter(there), fits);
  }
  if (there.empty()) {
    return find_tag_side(runtime, known, options);
  }
  if (there.size() > 1) {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format(
            "image '{}' has the tag '{}' in several places: {} and {}",
            known.name,
            options.target,
            there[0].reference(),
            there[1].reference()))
        .with_hint("choose one with --registry, or give that reference instead of the image");
  }
  return find_side(runtime, there.front().reference(), options.to);
}

/// Whether what the tag is now is the image that the user named.
Awaitable<bool> is_still(Ctx ctx, oci::Place place, KnownImage known, oci::Descriptor now) {
  const auto& reference = known.reference;
  if (reference && reference->digest && *reference->digest == now.digest) {
    co_return true;
  }
  if (known.record) {  // pushed elsewhere it may have another manifest, never another configuration
    RegistryImage image{std::move(place), std::move(now)};
    const auto id = co_await pipeline::find_internal_image_id(ctx, std::move(image));
    co_return id == known.record->internal_image_id;
  }
  if (reference->digest) {
    co_return false;
  }
  const auto named =
      co_await place.registry->find_manifest(ctx, place.repository, reference->tag_or_latest());
  co_return named && named->digest == now.digest;
}

/// A tag that moved on in the meantime is not ours to remove.
Awaitable<void> require_still(Ctx ctx, oci::Place place, KnownImage known, std::string tag) {
  const auto& reference = known.reference;
  if (!known.record && !reference->digest && reference->tag_or_latest() == tag) {
    co_return;  // whatever it is, it is meant
  }
  const auto now = co_await place.registry->find_manifest(ctx, place.repository, tag);
  if (!now) {
    co_return;  // the removal will tell
  }
  const bool is_same = co_await is_still(ctx, place, known, *now);
  if (!is_same) {
    throw Error(
        ErrorCode::conflict,
        fmt::format("{}:{} is another image than '{}' now", place.name(), tag, known.name))
        .with_hint(fmt::format(
            "to remove the tag all the same: freshet image untag {0}:{1} {1}", place.name(), tag));
  }
}

Awaitable<void> untag(Ctx ctx, Runtime& runtime, KnownImage known, Side side, std::string tag) {
  const oci::Place place = co_await open_side(ctx, runtime, side, false);
  co_await require_still(ctx, place, std::move(known), tag);
  std::vector<std::string> tags{tag};
  std::string frame = fmt::format("removing {}:{}", place.name(), tag);
  auto work = runtime.mover().untag(ctx, place, std::move(tags));
  co_await in_context(std::move(frame), std::move(work));
}

int run_untag(Runtime& runtime, MoveOptions options) {
  options.tags = {options.target};
  require_tags(options.tags);
  const KnownImage known = find_known_image(runtime, options.source);
  const Side side = find_untag_side(runtime, known, options);
  runtime.wait(untag(Ctx{}, runtime, known, side, options.target));
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
  add_promote(group, action);
  add_tag_commands(group, action);
}

}  // namespace freshet::cli
