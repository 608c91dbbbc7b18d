// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/build_context.hpp"

#include "freshet/base/text.hpp"
#include "freshet/cache/ignore_file.hpp"
#include "freshet/engine/buildkit/dockerfile_source.hpp"
#include "freshet/oci/digest.hpp"

#include <fmt/format.h>

namespace freshet::pipeline {
namespace {

constexpr std::size_t k_max_ignore_bytes = 4 << 20;

/// The text of a file of `tree`; empty when there is none.
std::string read_if_there(const engine::FileTree& tree, const std::string& path) {
  try {
    const auto file = tree.open(path);
    std::string text(k_max_ignore_bytes, '\0');
    text.resize(file->read(text.data(), text.size()));
    if (text.size() == k_max_ignore_bytes) {
      throw Error(
          ErrorCode::too_large,
          fmt::format("'{}' is larger than {}", path, human_size(k_max_ignore_bytes)));
    }
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

}  // namespace

cache::ContextRequest make_context_request(
    const engine::BuildRequest& request, const fs::path& data_directory) {
  const std::string name(oci::Digest::of(request.source_key).hex().substr(0, 40));
  cache::ContextRequest context;
  context.root = request.context_directory;
  context.excludes = find_excludes(request);
  context.memo = data_directory / "contexts" / (name + ".memo");
  return context;
}

}  // namespace freshet::pipeline
