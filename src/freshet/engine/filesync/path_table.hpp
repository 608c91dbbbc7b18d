// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/filesync/entry.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::engine {

/// From the number of an entry (its place in the listing, from 0) to its path. Stores the name of
/// each file once and the path of each directory about once. Not thread-safe.
class PathTable {
 public:
  struct Place {
    FileEntry::Content content = FileEntry::Content::none;
    std::string path;
  };

  /// Entries come in the order of the listing.
  void add(const FileEntry& entry);
  /// nullopt: no such entry, or one without content.
  std::optional<Place> find(std::uint32_t id) const;

 private:
  static constexpr std::uint32_t k_none = 0xFFFFFFFF;
  static constexpr std::uint32_t k_empty = 0xFFFFFFFE;

  struct Item {
    std::uint32_t directory = k_none;  // index into directories_, or one of the above
    std::uint32_t name = 0;  // offset into names_, ends with a zero byte
  };

  std::vector<std::string> directories_;
  std::string names_;
  std::vector<Item> items_;
};

}  // namespace freshet::engine
