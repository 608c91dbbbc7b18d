// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/filesync/entry.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace freshet::engine {
namespace {

TEST(GoMode, translates_every_kind_of_file_and_bit) {
  struct Case {
    mode_t posix;
    std::uint32_t go;
  };
  for (const Case& c : {
           Case{S_IFREG | 0644, 0x1A4},
           Case{S_IFDIR | 0755, 0x800001ED},
           Case{S_IFLNK | 0777, 0x080001FF},
           Case{S_IFBLK | 0600, 0x04000180},
           Case{S_IFCHR | 0600, 0x04200180},
           Case{S_IFIFO | 0600, 0x02000180},
           Case{S_IFSOCK | 0755, 0x1ED},
           Case{S_IFREG | S_ISUID | 0755, 0x008001ED},
           Case{S_IFREG | S_ISGID | 0755, 0x004001ED},
           Case{S_IFDIR | S_ISVTX | 0777, 0x801001FF},
       }) {
    EXPECT_EQ(to_go_mode(c.posix), c.go) << std::oct << c.posix;
  }
}

}  // namespace
}  // namespace freshet::engine
