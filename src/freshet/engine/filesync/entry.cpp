// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/filesync/entry.hpp"

#include <sys/stat.h>

namespace freshet::engine {
namespace {

constexpr std::uint32_t k_go_directory = 1u << 31;
constexpr std::uint32_t k_go_symbolic_link = 1u << 27;
constexpr std::uint32_t k_go_device = 1u << 26;
constexpr std::uint32_t k_go_fifo = 1u << 25;
constexpr std::uint32_t k_go_set_user = 1u << 23;
constexpr std::uint32_t k_go_set_group = 1u << 22;
constexpr std::uint32_t k_go_character_device = 1u << 21;
constexpr std::uint32_t k_go_sticky = 1u << 20;

std::uint32_t type_bits(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return k_go_directory;
    case S_IFLNK:
      return k_go_symbolic_link;
    case S_IFBLK:
      return k_go_device;
    case S_IFCHR:
      return k_go_device | k_go_character_device;
    case S_IFIFO:
      return k_go_fifo;
    default:
      return 0;
  }
}

}  // namespace

std::uint32_t to_go_mode(mode_t mode) {
  std::uint32_t out = (mode & 0777u) | type_bits(mode);
  out |= (mode & S_ISUID) != 0 ? k_go_set_user : 0;
  out |= (mode & S_ISGID) != 0 ? k_go_set_group : 0;
  out |= (mode & S_ISVTX) != 0 ? k_go_sticky : 0;
  return out;
}

}  // namespace freshet::engine
