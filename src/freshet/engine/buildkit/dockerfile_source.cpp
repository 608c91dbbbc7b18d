// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/buildkit/dockerfile_source.hpp"

#include "freshet/base/text.hpp"
#include "freshet/engine/filesync/beneath.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace freshet::engine {
namespace {

constexpr std::size_t k_max_dockerfile_bytes = 8 * 1024 * 1024;

/// A place below a directory that may be read.
struct Place {
  UniqueFd root;
  std::string path;  // relative to it
  std::string label;
};

Place find_place(const fs::path& context, const fs::path& file) {
  const fs::path clean = file.lexically_normal();
  const fs::path inside = clean.lexically_relative(context.lexically_normal());
  const bool is_inside = !inside.empty() && *inside.begin() != "..";
  const fs::path root = is_inside ? context : clean.parent_path();
  Place place;
  place.root = UniqueFd(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  place.path = is_inside ? inside.string() : clean.filename().string();
  place.label = is_inside ? inside.string() : clean.string();
  return place;
}

[[noreturn]] void fail_to_open(const std::string& label, int system_error) {
  const std::string name = printable(label, 300);
  if (system_error == EXDEV) {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format("the Dockerfile '{}' is a link that leads out of its directory", name))
        .with_hint("copy the file instead, or name its real path");
  }
  const bool denied = system_error == EACCES || system_error == EPERM;
  throw Error(
      denied ? ErrorCode::forbidden : ErrorCode::unavailable,
      fmt::format("cannot read the Dockerfile '{}': {}", name, std::strerror(system_error)));
}

std::string read_all(int fd, const std::string& label) {
  std::string out;
  std::string chunk(64 * 1024, '\0');
  for (;;) {
    const ssize_t length = ::read(fd, chunk.data(), chunk.size());
    if (length < 0) {
      fail_to_open(label, errno);
    }
    if (length == 0) {
      return out;
    }
    out.append(chunk, 0, static_cast<std::size_t>(length));
    if (out.size() > k_max_dockerfile_bytes) {
      throw Error(
          ErrorCode::too_large,
          fmt::format(
              "the Dockerfile '{}' is larger than {}", label, human_size(k_max_dockerfile_bytes)));
    }
  }
}

/// nullopt when there is no such file.
std::optional<std::string> load_inside(const Place& place, const std::string& path) {
  const UniqueFd fd = open_inside(place.root.get(), path, O_RDONLY | O_NONBLOCK);
  if (!fd.is_open()) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return std::nullopt;
    }
    fail_to_open(place.label, errno);
  }
  struct stat status {};
  ::fstat(fd.get(), &status);
  if (!S_ISREG(status.st_mode)) {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format("the Dockerfile '{}' is not a file", printable(place.label, 300)));
  }
  return read_all(fd.get(), place.label);
}

std::optional<std::string> load_text(const Place& place) {
  if (!place.root.is_open()) {
    return std::nullopt;
  }
  std::optional<std::string> text = load_inside(place, place.path);
  constexpr std::string_view k_usual_name = "Dockerfile";
  if (!text && (place.path == k_usual_name || place.path.ends_with("/Dockerfile"))) {
    std::string path = place.path.substr(0, place.path.size() - k_usual_name.size());
    text = load_inside(place, path + "dockerfile");
  }
  return text;
}

DockerfileSource load(const fs::path& context, const DockerfilePath& dockerfile) {
  const fs::path& file = dockerfile.path;
  const Place place = find_place(context, file);
  std::optional<std::string> text = load_text(place);
  if (!text) {
    throw Error(
        ErrorCode::not_found,
        fmt::format("no Dockerfile found at '{}'", printable(file.string(), 300)));
  }
  DockerfileSource source;
  source.file_name = file.lexically_normal().filename().string();
  source.label = place.label;
  auto tree = std::make_shared<MemoryTree>();
  tree->add(source.file_name, dockerfile.text ? *dockerfile.text : std::move(*text));
  if (auto ignore = load_inside(place, place.path + ".dockerignore")) {
    tree->add(source.file_name + ".dockerignore", std::move(*ignore));
  }
  source.tree = std::move(tree);
  return source;
}

}  // namespace

DockerfileSource load_dockerfile(const BuildRequest& request) {
  if (const auto* file = std::get_if<DockerfilePath>(&request.dockerfile)) {
    return load(request.context_directory, *file);
  }
  DockerfileSource source;
  source.file_name = "Dockerfile";
  source.label = "inline Dockerfile";
  auto tree = std::make_shared<MemoryTree>();
  tree->add(source.file_name, std::get<DockerfileText>(request.dockerfile).text);
  source.tree = std::move(tree);
  return source;
}

}  // namespace freshet::engine
