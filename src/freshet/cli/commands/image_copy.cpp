// SPDX-License-Identifier: Apache-2.0
#include "freshet/cli/commands/image_copy.hpp"

#include "freshet/base/error_text.hpp"
#include "freshet/base/files.hpp"
#include "freshet/base/text.hpp"
#include "freshet/cli/copy_list.hpp"
#include "freshet/cli/image_moves.hpp"
#include "freshet/cli/json_output.hpp"
#include "freshet/oci/copy/parallel.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <iterator>
#include <optional>

namespace freshet::cli {
namespace {

using pipeline::RegistryImage;

constexpr std::size_t k_copies_at_once = 4;  // each moves several blobs at once
constexpr std::size_t k_max_list_bytes = 16UL * 1024 * 1024;

struct CopyCommand {
  std::string source;
  std::string target;
  std::string list;  // a file, `-` for standard input; empty: one image
  std::string from;  // integration to read with
  std::string to;  // integration to write with
  std::string platform;
  bool all_platforms = false;
  bool referrers = false;
  bool json = false;
};

oci::CopyOptions copy_options(const CopyCommand& command) {
  oci::CopyOptions how;
  how.all_platforms = command.all_platforms;
  how.platform = command.platform.empty() ? pipeline::own_platform() : command.platform;
  how.referrers = command.referrers;
  return how;
}

void require_target(const oci::Reference& source, const oci::Reference& target) {
  if (target.digest) {
    throw Error(ErrorCode::invalid_input, "the target of a copy cannot be a digest")
        .with_hint("write a tag, or none for that of the source");
  }
  if (target.tag.empty() && source.tag.empty() && source.digest) {
    throw Error(ErrorCode::invalid_input, "the copy of a digest needs a tag")
        .with_hint(fmt::format("write it behind the target: {}:TAG", target.name()));
  }
}

/// How many signatures and the like refer to the image. That nobody can tell is no reason to fail.
Awaitable<std::size_t> count_referrers(Ctx ctx, RegistryImage image) {
  try {
    const auto referrers = co_await image.place.registry->list_referrers(
        ctx, image.place.repository, image.manifest.digest);
    co_return referrers.size();
  } catch (const Error&) {
    co_return 0;
  }
}

void tell_left_behind(const RegistryImage& image, std::size_t referrers) {
  if (referrers > 0) {
    fmt::print(
        stderr,
        "note: {} of {} (signatures, attestations or the like) not copied: --referrers takes them "
        "along\n",
        referrers == 1 ? std::string("1 referrer") : fmt::format("{} referrers", referrers),
        image.repo_digest());
  }
}

/// Copies what was looked up, and says what of it stays behind, which it asks meanwhile.
Awaitable<MovedImage> copy_image(
    Ctx ctx,
    Runtime& runtime,
    RegistryImage image,
    Side target,
    std::vector<std::string> tags,
    CopyCommand command,
    oci::ImageMover::ProgressLine progress) {
  std::optional<MovedImage> moved;
  std::size_t left_behind = 0;
  const auto part = [&](std::size_t which) -> Awaitable<void> {
    if (which == 0) {
      moved =
          co_await move_image(ctx, runtime, image, target, tags, copy_options(command), progress);
    } else if (!command.referrers) {
      left_behind = co_await count_referrers(ctx, image);
    }
  };
  co_await oci::for_each_at_once(2, 2, part);
  tell_left_behind(image, left_behind);
  co_return std::move(*moved);
}

/// Copies from the mirror of `source`, where there is one that has all of it; else from itself.
Awaitable<MovedImage> copy_from(
    Ctx ctx,
    Runtime& runtime,
    Side source,
    Side target,
    std::vector<std::string> tags,
    CopyCommand command,
    oci::ImageMover::ProgressLine progress) {
  if (source.mirror) {
    std::string problem;
    try {
      RegistryImage image = co_await look_up_at_mirror(ctx, runtime, source);
      co_return co_await copy_image(
          ctx, runtime, std::move(image), target, tags, command, progress);
    } catch (const oci::TargetFailure&) {
      throw;
    } catch (const Error& error) {
      problem = error.message();
    }
    if (progress) {
      progress(fmt::format(
          "warning: by the mirror '{}' it failed: {}; trying without it",
          source.mirror->reference.domain,
          problem));
    }
  }
  oci::Place place = co_await open_side(ctx, runtime, source, false);
  RegistryImage image = co_await look_up(ctx, std::move(place), source.reference);
  co_return co_await copy_image(
      ctx, runtime, std::move(image), target, std::move(tags), std::move(command), progress);
}

Awaitable<MovedImage> copy(
    Ctx ctx, Runtime& runtime, CopyCommand command, oci::ImageMover::ProgressLine progress) {
  Side source = find_side(runtime, command.source, command.from);
  const Side target = find_side(runtime, command.target, command.to);
  require_target(source.reference, target.reference);
  for (const Side& side : {source, target}) {  // before anybody is asked for anything
    if (side.integration) {
      require_in_reach(*side.integration);
    }
  }
  if (command.referrers || target.reference.domain == source.reference.domain) {
    // Mirrors need not have what refers to an image, and within a registry there is less to send.
    source.mirror.reset();
  }
  std::vector<std::string> tags{
      target.reference.tag.empty() ? source.reference.tag_or_latest() : target.reference.tag};
  MovedImage moved = co_await copy_from(
      ctx,
      runtime,
      std::move(source),
      target,
      std::move(tags),
      std::move(command),
      std::move(progress));
  co_await note_tags(ctx, runtime, moved, target);
  co_return moved;
}

Awaitable<void> copy_and_tell(Ctx ctx, Runtime& runtime, CopyCommand command) {
  const auto progress = command.json ? oci::ImageMover::ProgressLine() : progress_on_stderr();
  const MovedImage moved = co_await copy(ctx, runtime, command, progress);
  if (command.json) {
    print_json(to_json(moved));
  } else {
    print_moved(moved, stdout);
  }
}

/// All copies of a list: what fails is told and does not keep the others from going on.
class ListRun {
 public:
  ListRun(Runtime& runtime, const CopyCommand& command, std::vector<ListedCopy> copies)
      : runtime_(runtime), command_(command), copies_(std::move(copies)) {}

  int execute() {
    runtime_.wait(oci::for_each_at_once(
        copies_.size(), k_copies_at_once, [this](std::size_t index) { return copy_at(index); }));
    const std::size_t done = copies_.size() - failed_;
    fmt::print(stderr, "Copied {} of {} images\n", done, copies_.size());
    return first_failure_ ? exit_code_of(*first_failure_) : 0;
  }

 private:
  Awaitable<void> copy_at(std::size_t index) {
    const ListedCopy& listed = copies_[index];
    const Ctx ctx;
    CopyCommand command = command_;
    command.source = listed.source;
    command.target = listed.target;
    std::optional<Error> failure;
    try {
      const oci::ImageMover::ProgressLine silent;
      const MovedImage moved = co_await copy(ctx, runtime_, std::move(command), silent);
      tell(moved);
    } catch (const Error& error) {
      failure = error;
    }
    if (failure) {
      ++failed_;
      first_failure_ = first_failure_.value_or(failure->code());
      failure->set_position_if_unknown(listed.at);
      std::fputs(to_terminal(*failure).c_str(), stderr);
    }
  }

  void tell(const MovedImage& moved) const {
    if (command_.json) {
      fmt::print("{}\n", boost::json::serialize(to_json(moved)));
    } else {
      fmt::print("{} to {}:{}\n", moved.source, moved.target.name(), moved.tags.front());
    }
    std::fflush(stdout);
  }

  Runtime& runtime_;
  const CopyCommand& command_;
  std::vector<ListedCopy> copies_;
  std::size_t failed_ = 0;
  std::optional<ErrorCode> first_failure_;
};

std::string read_standard_input() {
  std::string text;
  std::vector<char> buffer(64UL * 1024);
  while (std::cin.read(buffer.data(), std::ssize(buffer)) || std::cin.gcount() > 0) {
    text.append(buffer.data(), std::size_t(std::cin.gcount()));
    if (text.size() > k_max_list_bytes) {
      throw Error(
          ErrorCode::too_large,
          fmt::format("the list is larger than the limit of {} bytes", k_max_list_bytes));
    }
  }
  return text;
}

int copy_list(Runtime& runtime, const CopyCommand& command) {
  const bool is_input = command.list == "-";
  const std::string text =
      is_input ? read_standard_input() : load_file(command.list, k_max_list_bytes);
  std::vector<ListedCopy> copies = parse_copy_list(text, is_input ? "(input)" : command.list);
  return ListRun(runtime, command, std::move(copies)).execute();
}

int run_copy(Runtime& runtime, const CopyCommand& command) {
  const bool has_both = !command.source.empty() && !command.target.empty();
  if (command.list.empty() ? !has_both : !command.source.empty()) {
    throw Error(ErrorCode::invalid_input, "give either SRC and DST, or --from-file LIST");
  }
  if (!command.list.empty()) {
    return copy_list(runtime, command);
  }
  runtime.wait(copy_and_tell(Ctx{}, runtime, command));
  return 0;
}

}  // namespace

void add_image_copy_command(CLI::App& group, Action& action) {
  const auto options = std::make_shared<CopyCommand>();
  CLI::App* copy = group.add_subcommand("copy", "Copy images from one registry to another");
  copy->add_option("SRC", options->source, "Reference of the image");
  copy->add_option("DST", options->target, "Where to; without tag: that of SRC");
  copy->add_option(
          "--from-file", options->list, "Copy all images of a list: lines of SRC DST; - for stdin")
      ->type_name("LIST");
  copy->add_option("--from", options->from, "Connected registry to read with")->type_name("NAME");
  copy->add_option("--to", options->to, "Connected registry to write with")->type_name("NAME");
  CLI::Option* all = copy->add_flag(
      "--all-platforms", options->all_platforms, "The whole of an index, byte for byte");
  copy->add_option("--platform", options->platform, "Of an index, only this (default: as here)")
      ->type_name("OS/ARCH")
      ->excludes(all);
  copy->add_flag("--referrers", options->referrers, "Signatures, attestations and the like, too");
  copy->add_flag("--json", options->json, "Print JSON; of a list, one object a line");
  copy->footer(
      "A reference whose host is connected is read or written with that registry's login. With\n"
      "--from or --to the named one is used, and a reference without host is below its domain and\n"
      "prefix. In a list, a failed copy is told and the others go on.\n"
      "Examples:\n"
      "  freshet image copy docker.io/library/alpine:3.20 registry.example/base/alpine\n"
      "  freshet image copy --from staging --to prod app:1.4 app:1.4 --all-platforms --referrers\n"
      "  freshet image copy --from staging --to prod --from-file images.txt");
  copy->callback([options, &action] {
    action = [options](Runtime& runtime) { return run_copy(runtime, *options); };
  });
}

}  // namespace freshet::cli
