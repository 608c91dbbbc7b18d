// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/filesync/file_tree.hpp"

#include "freshet/base/error.hpp"
#include "freshet/engine/testing/temp_tree.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

namespace freshet::engine {
namespace {

using testing::ElementsAre;

std::vector<std::string> paths_of(const FileTree& tree, const FileFilter& filter) {
  std::vector<std::string> out;
  tree.list(filter, [&](const FileEntry& entry) {
    out.push_back(entry.path);
    return true;
  });
  return out;
}

std::string content_of(const FileTree& tree, const std::string& path) {
  const auto content = tree.open(path);
  std::string out(content->size_bytes() + 1, '\0');
  out.resize(content->read(out.data(), out.size()));
  return out;
}

std::int64_t time_of(const FileTree& tree) {
  std::int64_t out = 0;
  tree.list(FileFilter{}, [&](const FileEntry& entry) {
    out = entry.modified_ns;
    return false;
  });
  return out;
}

std::string message_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.message();
  }
  return "";
}

TEST(DirectoryTree, sends_what_is_followed_and_included_but_not_what_is_excluded) {
  TempTree temp;
  temp.file("src/a.c");
  temp.file("src/a.o");
  temp.file("docs/x");
  temp.file("other");
  const DirectoryTree tree(temp.path());
  FileFilter filter;
  filter.follow_paths = {"src"};
  filter.include_patterns = {"docs"};
  filter.exclude_patterns = {"**/*.o"};
  EXPECT_THAT(paths_of(tree, filter), ElementsAre("docs", "docs/x", "src", "src/a.c"));
}

TEST(DirectoryTree, can_be_listed_again) {
  TempTree temp;
  temp.file("a");
  const DirectoryTree tree(temp.path());
  EXPECT_THAT(paths_of(tree, FileFilter{}), ElementsAre("a"));
  EXPECT_THAT(paths_of(tree, FileFilter{}), ElementsAre("a"));
}

TEST(DirectoryTree, follows_a_link_that_is_the_root_itself) {
  TempTree temp;
  temp.file("real/a", "x");
  temp.link("root", "real");
  const DirectoryTree tree(temp.path() / "root");
  EXPECT_THAT(paths_of(tree, FileFilter{}), ElementsAre("a"));
  EXPECT_EQ(content_of(tree, "a"), "x");
}

TEST(DirectoryTree, does_not_read_through_a_link_that_took_the_place_of_something) {
  TempTree temp;
  TempTree elsewhere;
  elsewhere.file("x", "secret");
  temp.link("a", elsewhere.path().string());
  temp.link("b", (elsewhere.path() / "x").string());
  const DirectoryTree tree(temp.path());
  EXPECT_EQ(
      message_of([&] { tree.open("a/x"); }),
      "'a/x' of the build context vanished while it was sent");
  EXPECT_EQ(
      message_of([&] { tree.open("b"); }), "'b' of the build context vanished while it was sent");
}

TEST(DirectoryTree, does_not_wait_for_a_pipe_that_took_the_place_of_a_file) {
  TempTree temp;
  temp.fifo("a");
  const DirectoryTree tree(temp.path());
  EXPECT_EQ(
      message_of([&] { tree.open("a"); }), "'a' of the build context vanished while it was sent");
}

TEST(DirectoryTree, names_a_file_that_it_may_not_read) {
  TempTree temp;
  temp.file("d/secret", "x");
  ::chmod(temp.path().c_str(), 0755);
  ::chmod((temp.path() / "d/secret").c_str(), 0);
  const DirectoryTree tree(temp.path());
  const AsNobody nobody;
  EXPECT_EQ(
      message_of([&] { tree.open("d/secret"); }),
      "cannot read 'd/secret' of the build context: Permission denied");
}

TEST(DirectoryTree, refuses_a_root_that_is_no_directory) {
  TempTree temp;
  temp.file("file");
  EXPECT_EQ(
      message_of([&] { DirectoryTree(temp.path() / "file"); }),
      "the build context '" + (temp.path() / "file").string() + "' is not a directory");
  EXPECT_EQ(
      message_of([&] { DirectoryTree(temp.path() / "absent"); }),
      "the build context '" + (temp.path() / "absent").string() + "' does not exist");
}

TEST(MemoryTree, lists_its_files_sorted_and_reads_them) {
  MemoryTree tree;
  tree.add("b", "second");
  tree.add("a", "first");
  EXPECT_THAT(paths_of(tree, FileFilter{}), ElementsAre("a", "b"));
  EXPECT_EQ(content_of(tree, "b"), "second");
}

TEST(MemoryTree, gives_a_changed_text_of_the_same_length_another_time) {
  MemoryTree first;
  first.add("Dockerfile", "FROM a");
  MemoryTree same;
  same.add("Dockerfile", "FROM a");
  MemoryTree changed;
  changed.add("Dockerfile", "FROM b");
  EXPECT_EQ(time_of(first), time_of(same));
  EXPECT_NE(time_of(first), time_of(changed));
}

}  // namespace
}  // namespace freshet::engine
