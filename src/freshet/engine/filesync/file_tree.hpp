// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/files.hpp"
#include "freshet/engine/filesync/entry.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace freshet::engine {

/// What the builder wants of a tree; see `Selection` and `resolve_follow_paths`.
struct FileFilter {
  std::vector<std::string> follow_paths;
  std::vector<std::string> include_patterns;
  std::vector<std::string> exclude_patterns;
  bool wants_attributes = true;  // extended ones, which take most of a listing's time
};

/// One open file.
class FileContent {
 public:
  virtual ~FileContent() = default;
  /// As last known; the file may turn out longer or shorter.
  virtual std::size_t size_bytes() const = 0;
  /// Reads the next bytes, fewer than `capacity` only at the end. Throws: unavailable (the disk
  /// failed).
  virtual std::size_t read(char* into, std::size_t capacity) = 0;
};

/// A tree that a builder may list and read. Thread-safe.
class FileTree {
 public:
  virtual ~FileTree() = default;
  /// See `walk_tree`. Throws also: invalid_input (malformed pattern).
  virtual void list(const FileFilter& filter, const EntrySink& on_entry) const = 0;
  /// Opens a file of the listing. Throws: not_found (it vanished), forbidden, unavailable.
  virtual std::unique_ptr<FileContent> open(const std::string& path) const = 0;
};

/// The tree below a directory on disk.
class DirectoryTree : public FileTree {
 public:
  /// Follows links in `root` itself. Throws: not_found, forbidden, invalid_input (no directory).
  explicit DirectoryTree(const fs::path& root);

  void list(const FileFilter& filter, const EntrySink& on_entry) const override;
  std::unique_ptr<FileContent> open(const std::string& path) const override;

 private:
  UniqueFd open_root_again() const;

  UniqueFd root_;
};

/// A few named texts in one flat directory. Their times are derived from their content, so that a
/// changed text of the same length is noticed and an unchanged one is not sent again. Filters only
/// save transfers, which is not worth it here: all files are listed.
class MemoryTree : public FileTree {
 public:
  void add(std::string name, std::string content);

  void list(const FileFilter& filter, const EntrySink& on_entry) const override;
  std::unique_ptr<FileContent> open(const std::string& path) const override;

 private:
  struct File {
    std::string name;
    std::string content;
  };

  std::vector<File> files_;  // sorted by name
};

}  // namespace freshet::engine
