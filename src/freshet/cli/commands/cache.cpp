// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/text.hpp"
#include "freshet/cache/context_digest.hpp"
#include "freshet/cli/commands/commands.hpp"
#include "freshet/cli/json_output.hpp"
#include "freshet/oci/digest.hpp"
#include "freshet/pipeline/steps/build_context.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <cstdio>

namespace freshet::cli {
namespace {

struct ContextOptions {
  std::string path = ".";
  std::string dockerfile = "Dockerfile";
  bool lists_entries = false;
  bool json = false;
};

/// Short enough for a line; two entries of one path that differ have different ones.
std::string short_digest(const cache::ContextEntry& entry) {
  constexpr std::size_t k_length = 16;
  return std::string(oci::Digest::of(entry.state).hex().substr(0, k_length));
}

void print_text(const cache::ContextDigest& context, const ContextOptions& options) {
  for (const cache::ContextEntry& entry : context.entries) {
    if (options.lists_entries) {
      fmt::print("{}  {}\n", short_digest(entry), printable(entry.path, 4096));
    }
  }
  fmt::print(
      "{}: {} file{}, {}, {} read\n",
      context.digest,
      context.files,
      context.files == 1 ? "" : "s",
      human_size(context.bytes),
      human_size(context.bytes_read));
}

boost::json::object to_json(const cache::ContextDigest& context, const ContextOptions& options) {
  boost::json::object document{
      {"digest", context.digest},
      {"files", context.files},
      {"bytes", context.bytes},
      {"bytes_read", context.bytes_read},
      {"entries", nullptr}};
  if (options.lists_entries) {
    boost::json::array entries;
    for (const cache::ContextEntry& entry : context.entries) {
      entries.push_back({{"path", valid_utf8(entry.path)}, {"digest", short_digest(entry)}});
    }
    document["entries"] = std::move(entries);
  }
  return document;
}

int show_context(Runtime& runtime, const ContextOptions& options) {
  engine::BuildRequest request;
  request.context_directory = fs::absolute(options.path).lexically_normal();
  request.dockerfile =
      engine::DockerfilePath{request.context_directory / options.dockerfile, std::nullopt};
  request.source_key = request.context_directory.string();
  const cache::ContextDigest context =
      cache::digest_context(pipeline::make_context_request(request, runtime.data().path()));
  if (options.json) {
    print_json(to_json(context, options));
  } else {
    print_text(context, options);
  }
  return 0;
}

}  // namespace

void add_cache_commands(CLI::App& app, Action& action) {
  CLI::App* group = app.add_subcommand("cache", "What decides whether a build can be left out");
  group->require_subcommand(1);
  const auto options = std::make_shared<ContextOptions>();
  CLI::App* context =
      group->add_subcommand("context", "Digest what a build gets of a folder, after .dockerignore");
  context->add_option("PATH", options->path, "The build context (default: here)");
  context->add_option("--file", options->dockerfile, "The Dockerfile in it (default: Dockerfile)");
  context->add_flag("--list", options->lists_entries, "Each file with its own digest");
  context->add_flag("--json", options->json, "Print JSON");
  context->footer(
      "What differs between two folders or machines:\n"
      "  diff <(freshet cache context one --list) <(freshet cache context two --list)");
  context->callback([options, &action] {
    action = [options](Runtime& runtime) { return show_context(runtime, *options); };
  });
}

}  // namespace freshet::cli
