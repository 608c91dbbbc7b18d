// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace freshet {

namespace fs = std::filesystem;

/// An owned file descriptor.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  ~UniqueFd();

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  int release();

 private:
  int fd_ = -1;
};

/// The whole content of a file. Throws: not_found, forbidden, too_large (over `max_bytes`).
std::string load_file(const fs::path& path, std::size_t max_bytes);

/// Replaces `path` by `content` so that a crash leaves the old or the new content, never a part.
/// The file gets mode 0600. Throws: unavailable (disk full, no right).
void replace_private_file(const fs::path& path, std::string_view content);

/// Makes `path` and its missing parents, `path` itself with mode 0700.
void make_private_directory(const fs::path& path);

/// Throws forbidden, with the command that mends it, when `path` exists and any other user than its
/// owner may read or write it, or when it belongs to somebody else.
void require_private(const fs::path& path, std::string_view what);

/// An advisory lock (flock) on a file, held until destroyed; released by the kernel when the
/// process dies in whatever way.
class FileLock {
 public:
  /// nullopt when another process holds it, or just removed it. Its holder may remove the file.
  static std::optional<FileLock> try_acquire(const fs::path& path);

 private:
  explicit FileLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

/// Removes a tree; returns what stopped it, empty when all is gone.
std::string remove_tree(const fs::path& path);

}  // namespace freshet
