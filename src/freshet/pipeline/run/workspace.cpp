// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/run/workspace.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"
#include "freshet/oci/digest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace freshet::pipeline {
namespace {

/// A folder name for a pipeline: readable, and unique by a digest of the true name.
std::string folder_of(std::string_view pipeline) {
  std::string out;
  for (const char c : pipeline.substr(0, 60)) {
    out += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' ? c : '_';
  }
  return fmt::format("{}-{}", out, oci::Digest::of(pipeline).hex().substr(0, 12));
}

bool is_within(const fs::path& path, const fs::path& root) {
  const auto [mismatch, rest] = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
  return mismatch == root.end();
}

}  // namespace

Workspace Workspace::take(
    const fs::path& data_directory, std::string_view pipeline, const RunDirectory& run) {
  make_private_directory(data_directory / "volumes");
  const fs::path saved = data_directory / "volumes" / folder_of(pipeline);
  std::error_code code;
  fs::rename(saved, run.state(), code);
  if (code) {
    make_private_directory(run.state());
  }
  const fs::path volume = run.state() / "volume";
  fs::create_directory(volume);
  // Steps may run as any user of their image; the folders above are for the owner only.
  fs::permissions(volume, fs::perms::all, code);
  Workspace workspace(run.state(), fs::canonical(volume), saved);
  workspace.forget_exports();
  return workspace;
}

void Workspace::forget_exports() const {
  for (const std::string_view name : {"env_vars_to_export", "env_vars_to_mask"}) {
    std::error_code code;
    fs::remove(root_ / name, code);
  }
}

fs::path Workspace::host_path(std::string_view container_path) const {
  const std::string clean = join_container_path("/", container_path);
  const bool is_inside =
      clean == k_volume_path || clean.starts_with(std::string(k_volume_path) + "/");
  if (!is_inside) {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format("'{}' is outside of the shared volume", container_path))
        .with_hint(fmt::format("use a path below {}, or a relative one", k_volume_path));
  }
  const fs::path below = fs::path(clean.substr(k_volume_path.size())).relative_path();
  const fs::path resolved = fs::weakly_canonical(root_ / below);
  if (!is_within(resolved, root_)) {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format("'{}' leads out of the shared volume by a symbolic link", container_path));
  }
  return resolved;
}

fs::path Workspace::git_directory(std::string_view container_path) const {
  const std::string key(oci::Digest::of(container_path).hex().substr(0, 16));
  return state_ / "git" / key;
}

void Workspace::save() {
  // The folder saved by a run that ended meanwhile goes first: renaming cannot replace a full one.
  // Moving it into this run's own folder makes the swap quick; the run's end removes it.
  std::error_code code;
  fs::rename(saved_, state_.parent_path() / "replaced-state", code);
  fs::rename(state_, saved_, code);
  if (code) {
    throw Error(
        ErrorCode::unavailable, fmt::format("cannot keep the shared volume: {}", code.message()));
  }
}

std::string join_container_path(std::string_view base, std::string_view path) {
  std::string joined = path.starts_with('/') ? std::string(path) : fmt::format("{}/{}", base, path);
  std::vector<std::string> parts;
  for (std::string& part : split(joined, '/')) {
    if (part == "..") {
      if (!parts.empty()) {
        parts.pop_back();
      }
    } else if (!part.empty() && part != ".") {
      parts.push_back(std::move(part));
    }
  }
  return fmt::format("/{}", join(parts, "/"));
}

}  // namespace freshet::pipeline
