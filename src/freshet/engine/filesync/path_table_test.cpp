// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/filesync/path_table.hpp"

#include <gtest/gtest.h>

namespace freshet::engine {
namespace {

FileEntry make_entry(std::string path, FileEntry::Content content) {
  FileEntry entry;
  entry.path = std::move(path);
  entry.content = content;
  return entry;
}

TEST(PathTable, numbers_all_entries_and_keeps_the_paths_of_files) {
  PathTable table;
  table.add(make_entry("a", FileEntry::Content::none));
  table.add(make_entry("a/x", FileEntry::Content::file));
  table.add(make_entry("a/deep", FileEntry::Content::none));
  table.add(make_entry("a/deep/y", FileEntry::Content::file));
  table.add(make_entry("a/z", FileEntry::Content::file));
  table.add(make_entry("socket", FileEntry::Content::empty));
  table.add(make_entry("top", FileEntry::Content::file));

  EXPECT_FALSE(table.find(0));
  EXPECT_EQ(table.find(1)->path, "a/x");
  EXPECT_EQ(table.find(3)->path, "a/deep/y");
  EXPECT_EQ(table.find(4)->path, "a/z");
  EXPECT_EQ(table.find(5)->content, FileEntry::Content::empty);
  EXPECT_EQ(table.find(6)->path, "top");
  EXPECT_FALSE(table.find(7));
}

}  // namespace
}  // namespace freshet::engine
