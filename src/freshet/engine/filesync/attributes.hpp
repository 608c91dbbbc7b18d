// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace freshet::engine {

/// Reads extended attributes of directory entries, never through a link.
class AttributeReader {
 public:
  using Attributes = std::vector<std::pair<std::string, std::string>>;

  /// Those of `name` in `directory_fd` that can be read; `device` is the entry's `st_dev`. `out` is
  /// overwritten.
  void read(int directory_fd, const char* name, dev_t device, Attributes& out);

 private:
  std::set<dev_t> without_;  // file systems that have no attributes are asked once
  std::string path_;
  std::string names_;
};

}  // namespace freshet::engine
