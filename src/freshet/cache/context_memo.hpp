// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/files.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace freshet::cache {

/// What tells, without reading it, whether a file is still the one that was read.
struct FileState {
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;  // since the epoch
  std::int64_t changed_ns = 0;  // of anything about it, since the epoch
  std::uint64_t inode = 0;

  bool operator==(const FileState&) const = default;
};

/// Whether a later change of a file that was read at `read_at_ns` is sure to give it another time.
/// File systems count in steps; a change in the same step as the reading would not show.
bool is_settled(const FileState& state, std::int64_t read_at_ns);

/// The digests of files that were read before, kept between runs in one file a context.
///
/// Only ever a shortcut: a missing, damaged or foreign file is an empty memo.
class ContextMemo {
 public:
  static ContextMemo load(const fs::path& file);

  /// nullopt when the file is not known in this state. Quick when the paths that are asked for have
  /// the order in which they were remembered. The result lives as long as the memo.
  std::optional<std::string_view> find(std::string_view path, const FileState& state);
  std::size_t size() const { return files_.size(); }

 private:
  struct Known {
    std::string_view path;
    FileState state;
    std::string_view digest;
  };

  const Known* find_path(std::string_view path);

  std::unique_ptr<const std::string> content_;  // what the views show
  std::vector<Known> files_;
  std::size_t next_ = 0;  // behind the one found last
  std::unordered_map<std::string_view, std::size_t> by_path_;  // made when the order is another
};

/// Writes the memo for the next run.
class ContextMemoWriter {
 public:
  static constexpr std::size_t k_max_files = 500'000;  // some 100 MB on disk
  static constexpr std::size_t k_max_memos = 64;  // beside each other; those used longest ago go

  ContextMemoWriter();

  /// Beyond `k_max_files` nothing is kept.
  void remember(std::string_view path, const FileState& state, std::string_view digest);
  std::size_t size() const { return size_; }
  /// Replaces `file` as a whole and removes its oldest neighbours. Called once, last. Throws
  /// unavailable.
  void save(const fs::path& file);

 private:
  std::string content_;
  std::size_t size_ = 0;
};

}  // namespace freshet::cache
