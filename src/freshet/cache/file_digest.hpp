// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/cache/context_memo.hpp"

#include <string>

namespace freshet::cache {

/// A file as it was read.
struct ReadFile {
  std::string digest;  // of its content and, where it has some, of its extended attributes
  FileState state;
  bool is_settled = false;  // it did not change meanwhile, and a later change is sure to show
};

/// Reads `path` below the directory `root_fd`, through no link. Blocking.
/// Throws: not_found (it vanished, or is no file any more), forbidden, unavailable.
ReadFile digest_file(int root_fd, const std::string& path);

/// Of the extended attributes of a directory; empty when it has none. Throws the same.
std::string digest_directory(int root_fd, const std::string& path);

}  // namespace freshet::cache
