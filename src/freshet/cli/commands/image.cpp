// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/text.hpp"
#include "freshet/cli/commands/commands.hpp"
#include "freshet/cli/commands/image_copy.hpp"
#include "freshet/cli/commands/image_move.hpp"
#include "freshet/cli/json_output.hpp"
#include "freshet/cli/progress/terminal_text.hpp"
#include "freshet/cli/table.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <cstdio>

namespace freshet::cli {
namespace {

constexpr std::size_t k_short_id = 12;

struct ImageOptions {
  std::string text;  // the image, or the filter on names
  std::size_t limit = 50;
  bool json = false;
};

std::string first_tag(const model::ImageRecord& image) {
  if (image.tags.empty()) {
    return "<none>";
  }
  const std::string more =
      image.tags.size() > 1 ? fmt::format(" (+{} more)", image.tags.size() - 1) : std::string();
  return image.tags.front().reference() + more;
}

int list_images(Runtime& runtime, const ImageOptions& options) {
  const auto images = runtime.data().images().list({options.text, options.limit});
  if (options.json) {
    boost::json::array documents;
    for (const model::ImageRecord& image : images) {
      documents.push_back(to_json(image));
    }
    print_json({{"images", std::move(documents)}});
    return 0;
  }
  if (images.empty()) {
    std::puts("No images yet: 'freshet run' records each image that it builds.");
    return 0;
  }
  Table table({"IMAGE ID", "NAME", "TAG", "BRANCH", "COMMIT", "SIZE", "CREATED"});
  for (const model::ImageRecord& image : images) {
    table.add(
        {image.internal_image_id.substr(0, k_short_id),
         image.image_name,
         first_tag(image),
         image.git.branch,
         image.git.revision.substr(0, 7),
         human_size(image.size_bytes),
         to_rfc3339(image.created_at)});
  }
  table.print(stdout);
  return 0;
}

void print_field(std::string_view name, std::string_view value) {
  if (!value.empty()) {
    fmt::print("{:<12} {}\n", name, printable(value, 2000));
  }
}

void print_image(const model::ImageRecord& image) {
  print_field("Image", image.image_name);
  print_field("Id", "sha256:" + image.internal_image_id);
  print_field("Digest", image.repo_digest);
  print_field("Hash", image.hash);
  print_field("Created", to_rfc3339(image.created_at));
  print_field("Platform", image.os + "/" + image.architecture);
  print_field("Size", human_size(image.size_bytes));
  print_field("Pipeline", image.pipeline);
  print_field("Build", image.build_id);
  print_field("Step", image.step);
  print_field(
      "Repository",
      image.git.repo_owner.empty() ? image.git.repo_name
                                   : image.git.repo_owner + "/" + image.git.repo_name);
  print_field("Branch", image.git.branch);
  print_field("Commit", image.git.revision);
  print_field("Message", split(image.git.commit_message, '\n').front());
  print_field("Author", image.git.commit_author);
  if (image.build_duration_ms > 0) {
    print_field("Built in", human_duration(std::chrono::milliseconds(image.build_duration_ms)));
  }
  if (image.push_duration_ms > 0) {
    print_field("Pushed in", human_duration(std::chrono::milliseconds(image.push_duration_ms)));
  }
  std::puts("\nTags");
  if (image.tags.empty()) {
    std::puts("  <none>: it was not pushed");
  }
  for (const model::ImageTag& tag : image.tags) {
    fmt::print("  docker pull {}\n", tag.reference());
  }
  std::puts("\nLayers");
  for (const model::ImageLayer& layer : image.layers) {
    const std::string size = layer.size_bytes > 0 ? human_size(layer.size_bytes) : "";
    fmt::print("  {:>10}  {}\n", size, fit(printable(layer.instruction, 2000), 100));
  }
  if (!image.dockerfile.empty()) {
    std::puts("\nDockerfile");
    for (const std::string& line : split(trim(image.dockerfile), '\n')) {
      fmt::print("  {}\n", terminal_safe(line, false));
    }
  }
}

int show_image(Runtime& runtime, const ImageOptions& options) {
  const auto image = runtime.data().images().find(options.text);
  if (!image) {
    throw Error(ErrorCode::not_found, fmt::format("no image, or several, match '{}'", options.text))
        .with_hint("give an id from 'freshet image list', or a full name with its tag");
  }
  if (options.json) {
    print_json(to_json(*image));
  } else {
    print_image(*image);
  }
  return 0;
}

}  // namespace

void add_image_commands(CLI::App& app, Action& action) {
  CLI::App* group = app.add_subcommand("image", "Images that were built or pushed");
  group->require_subcommand(1);
  const auto options = std::make_shared<ImageOptions>();

  CLI::App* list = group->add_subcommand("list", "List images, newest first");
  list->add_option("--name", options->text, "Only names that contain this");
  list->add_option("--limit", options->limit, "At most so many");
  list->add_flag("--json", options->json, "Print JSON");
  list->callback([options, &action] {
    action = [options](Runtime& runtime) { return list_images(runtime, *options); };
  });

  CLI::App* show =
      group->add_subcommand("show", "Show one image: git data, tags, layers, Dockerfile");
  show->add_option("IMAGE", options->text, "Id, its first characters, or a name with tag")
      ->required();
  show->add_flag("--json", options->json, "Print JSON");
  show->callback([options, &action] {
    action = [options](Runtime& runtime) { return show_image(runtime, *options); };
  });
  add_image_copy_command(*group, action);
  add_image_move_commands(*group, action);
}

}  // namespace freshet::cli
