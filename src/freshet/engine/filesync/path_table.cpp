// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/filesync/path_table.hpp"

namespace freshet::engine {

void PathTable::add(const FileEntry& entry) {
  Item item;
  if (entry.content == FileEntry::Content::empty) {
    item.directory = k_empty;
  } else if (entry.content == FileEntry::Content::file) {
    const std::string_view path = entry.path;
    const std::size_t slash = path.rfind('/');
    const std::size_t name_at = slash == std::string_view::npos ? 0 : slash + 1;
    const std::string_view directory = path.substr(0, name_at);
    // The listing comes back to a directory after each of its subdirectories; that it is stored
    // again then costs less than looking for it.
    if (directories_.empty() || directories_.back() != directory) {
      directories_.emplace_back(directory);
    }
    item.directory = static_cast<std::uint32_t>(directories_.size() - 1);
    item.name = static_cast<std::uint32_t>(names_.size());
    names_.append(path.substr(name_at)).push_back('\0');
  }
  items_.push_back(item);
}

std::optional<PathTable::Place> PathTable::find(std::uint32_t id) const {
  if (id >= items_.size() || items_[id].directory == k_none) {
    return std::nullopt;
  }
  const Item& item = items_[id];
  if (item.directory == k_empty) {
    return Place{FileEntry::Content::empty, {}};
  }
  return Place{
      FileEntry::Content::file, directories_[item.directory] + (names_.data() + item.name)};
}

}  // namespace freshet::engine
