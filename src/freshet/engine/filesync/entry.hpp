// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace freshet::engine {

/// One entry of a listing, as the builder is told of it. Owner and group are always sent as 0.
struct FileEntry {
  /// What a request for its data gets.
  enum class Content { none, file, empty };

  std::string path;  // relative, `/` between the parts
  std::uint32_t mode = 0;  // Go's FileMode bits, see `to_go_mode`
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;  // since the epoch
  std::int64_t changed_ns = 0;  // of anything about it, since the epoch; is not sent
  std::uint64_t inode = 0;  // is not sent
  std::string link_name;  // target of a symbolic link, or path of the first hard link
  std::int64_t device_major = 0;
  std::int64_t device_minor = 0;
  std::vector<std::pair<std::string, std::string>> attributes;  // extended ones
  Content content = Content::none;
};

/// Gets the entries in order; false ends the listing.
using EntrySink = std::function<bool(const FileEntry& entry)>;

/// Translates `st_mode` into Go's FileMode. A socket becomes a plain file: nothing else could be
/// made of it at the other end.
/// Source: Go documentation of io/fs.FileMode.
std::uint32_t to_go_mode(mode_t mode);

}  // namespace freshet::engine
