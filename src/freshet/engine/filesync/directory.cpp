// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/filesync/directory.hpp"

#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace freshet::engine {

bool DirectoryNames::load(int directory_fd) {
  // Layout of `struct linux_dirent64`: inode 8, offset 8, record length 2, type 1, then the name.
  constexpr std::size_t k_length_at = 16;
  constexpr std::size_t k_type_at = 18;
  constexpr std::size_t k_name_at = 19;
  alignas(8) std::array<char, 32 * 1024> buffer;
  for (;;) {
    const long bytes = ::syscall(SYS_getdents64, directory_fd, buffer.data(), buffer.size());
    if (bytes < 0) {
      return false;
    }
    if (bytes == 0) {
      break;
    }
    for (long at = 0; at < bytes;) {
      const char* record = buffer.data() + at;
      std::uint16_t length = 0;
      std::memcpy(&length, record + k_length_at, sizeof length);
      at += length;
      const std::string_view name(record + k_name_at);
      if (name == "." || name == "..") {
        continue;
      }
      const auto type = static_cast<unsigned char>(record[k_type_at]);
      items_.push_back(Item{static_cast<std::uint32_t>(names_.size()), type});
      names_.append(name).push_back('\0');
    }
  }
  std::sort(items_.begin(), items_.end(), [&](const Item& a, const Item& b) {
    return std::strcmp(names_.data() + a.offset, names_.data() + b.offset) < 0;
  });
  return true;
}

bool DirectoryNames::is_no_directory(std::size_t i) const {
  return items_[i].type != DT_DIR && items_[i].type != DT_UNKNOWN;
}

}  // namespace freshet::engine
