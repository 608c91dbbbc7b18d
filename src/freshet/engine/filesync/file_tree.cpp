// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/filesync/file_tree.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"
#include "freshet/engine/filesync/beneath.hpp"
#include "freshet/engine/filesync/follow_paths.hpp"
#include "freshet/engine/filesync/selection.hpp"
#include "freshet/engine/filesync/walker.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium/crypto_generichash.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace freshet::engine {
namespace {

ErrorCode code_of(int system_error) {
  switch (system_error) {
    case EACCES:
    case EPERM:
      return ErrorCode::forbidden;
    case ENOENT:
      return ErrorCode::not_found;
    default:
      return ErrorCode::unavailable;
  }
}

[[noreturn]] void fail_to_read(const std::string& path, int system_error) {
  const std::string name = printable(path, 300);
  if (system_error == ENOENT) {
    throw Error(
        ErrorCode::not_found,
        fmt::format("'{}' of the build context vanished while it was sent", name))
        .with_hint("let nothing change the build context during a build");
  }
  throw Error(
      code_of(system_error),
      fmt::format("cannot read '{}' of the build context: {}", name, std::strerror(system_error)))
      .with_hint("exclude it in .dockerignore or make it readable");
}

class DiskContent : public FileContent {
 public:
  DiskContent(UniqueFd fd, std::size_t size, std::string path)
      : fd_(std::move(fd)), size_(size), path_(std::move(path)) {}

  std::size_t size_bytes() const override { return size_; }

  std::size_t read(char* into, std::size_t capacity) override {
    std::size_t total = 0;
    while (total < capacity) {
      const ssize_t length = ::read(fd_.get(), into + total, capacity - total);
      if (length == 0) {
        break;
      }
      if (length > 0) {
        total += static_cast<std::size_t>(length);
      } else if (errno != EINTR) {
        fail_to_read(path_, errno);
      }
    }
    return total;
  }

 private:
  UniqueFd fd_;
  std::size_t size_;
  std::string path_;
};

class TextContent : public FileContent {
 public:
  explicit TextContent(std::string text) : text_(std::move(text)) {}

  std::size_t size_bytes() const override { return text_.size(); }

  std::size_t read(char* into, std::size_t capacity) override {
    const std::size_t length = text_.copy(into, capacity, at_);
    at_ += length;
    return length;
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

/// A moment in the 73 years after 1970 that stands for `content`.
std::int64_t time_from(std::string_view content) {
  std::uint64_t hash = 0;
  unsigned char digest[crypto_generichash_BYTES_MIN];
  crypto_generichash(
      digest,
      sizeof digest,
      reinterpret_cast<const unsigned char*>(content.data()),
      content.size(),
      nullptr,
      0);
  std::memcpy(&hash, digest, sizeof hash);
  return static_cast<std::int64_t>(hash >> 3);
}

}  // namespace

DirectoryTree::DirectoryTree(const fs::path& root)
    : root_(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (root_.is_open()) {
    return;
  }
  if (errno == ENOTDIR) {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format("the build context '{}' is not a directory", root.string()));
  }
  if (errno == ENOENT) {
    throw Error(
        ErrorCode::not_found, fmt::format("the build context '{}' does not exist", root.string()));
  }
  throw Error(
      code_of(errno),
      fmt::format("cannot read the build context '{}': {}", root.string(), std::strerror(errno)));
}

/// A description of its own: the place in a directory is shared by all copies of a descriptor.
UniqueFd DirectoryTree::open_root_again() const {
  UniqueFd fd(::openat(root_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.is_open()) {
    fail_to_read(".", errno);
  }
  return fd;
}

void DirectoryTree::list(const FileFilter& filter, const EntrySink& on_entry) const {
  std::optional<std::vector<std::string>> include;
  if (!filter.follow_paths.empty()) {
    include = resolve_follow_paths(root_.get(), filter.follow_paths);
  }
  const bool everything_followed = !filter.follow_paths.empty() && !include;
  if (!filter.include_patterns.empty() && !everything_followed) {
    if (!include) {
      include.emplace();
    }
    include->insert(include->end(), filter.include_patterns.begin(), filter.include_patterns.end());
  }
  const Selection selection(std::move(include), filter.exclude_patterns);
  const UniqueFd root = open_root_again();
  walk_tree(root.get(), selection, on_entry, filter.wants_attributes);
}

std::unique_ptr<FileContent> DirectoryTree::open(const std::string& path) const {
  // Not to hang on a pipe that took the place of a file.
  UniqueFd fd = open_beneath(root_.get(), path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!fd.is_open()) {
    fail_to_read(path, errno == ELOOP || errno == ENOTDIR ? ENOENT : errno);
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) {
    fail_to_read(path, errno);
  }
  if (!S_ISREG(status.st_mode)) {
    fail_to_read(path, ENOENT);
  }
  return std::make_unique<DiskContent>(
      std::move(fd), static_cast<std::size_t>(status.st_size), path);
}

void MemoryTree::add(std::string name, std::string content) {
  files_.push_back(File{std::move(name), std::move(content)});
  std::sort(
      files_.begin(), files_.end(), [](const File& a, const File& b) { return a.name < b.name; });
}

void MemoryTree::list(const FileFilter&, const EntrySink& on_entry) const {
  for (const File& file : files_) {
    FileEntry entry;
    entry.path = file.name;
    entry.mode = 0644;
    entry.size = static_cast<std::int64_t>(file.content.size());
    entry.modified_ns = time_from(file.content);
    entry.content = FileEntry::Content::file;
    if (!on_entry(entry)) {
      return;
    }
  }
}

std::unique_ptr<FileContent> MemoryTree::open(const std::string& path) const {
  for (const File& file : files_) {
    if (file.name == path) {
      return std::make_unique<TextContent>(file.content);
    }
  }
  fail_to_read(path, ENOENT);
}

}  // namespace freshet::engine
