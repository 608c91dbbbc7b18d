// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace freshet::engine {

/// The names in one directory, sorted by their bytes.
class DirectoryNames {
 public:
  /// Reads all names but `.` and `..` from the descriptor of a directory. False: `errno` says why.
  bool load(int directory_fd);

  std::size_t count() const { return items_.size(); }
  const char* name(std::size_t i) const { return names_.data() + items_[i].offset; }
  /// Whether it is surely no directory (some file systems do not tell).
  bool is_no_directory(std::size_t i) const;

 private:
  struct Item {
    std::uint32_t offset = 0;  // into names_, ends with a zero byte
    unsigned char type = 0;  // DT_*
  };

  std::string names_;
  std::vector<Item> items_;
};

}  // namespace freshet::engine
