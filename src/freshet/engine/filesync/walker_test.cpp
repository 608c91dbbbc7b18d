// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/filesync/walker.hpp"

#include "freshet/base/error.hpp"
#include "freshet/engine/testing/temp_tree.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace freshet::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using Lines = std::vector<std::string>;

class WalkTree : public testing::Test {
 protected:
  std::vector<FileEntry> walk(
      std::optional<Lines> include = std::nullopt,
      const Lines& exclude = {},
      std::size_t most = 1000) {
    std::vector<FileEntry> entries;
    const UniqueFd root(::open(tree_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    walk_tree(root.get(), Selection(std::move(include), exclude), [&](const FileEntry& entry) {
      entries.push_back(entry);
      return entries.size() < most;
    });
    return entries;
  }

  Lines paths(std::optional<Lines> include = std::nullopt, const Lines& exclude = {}) {
    Lines out;
    for (const FileEntry& entry : walk(std::move(include), exclude)) {
      out.push_back(entry.path);
    }
    return out;
  }

  TempTree tree_;
};

TEST_F(WalkTree, sorts_the_names_of_each_directory_by_their_bytes) {
  tree_.file("a/one");
  tree_.file("a-b");
  tree_.file("a.c");
  tree_.file("B");
  tree_.file("é");
  tree_.file("z");
  EXPECT_THAT(paths(), ElementsAre("B", "a", "a/one", "a-b", "a.c", "z", "é"));
}

TEST_F(WalkTree, sends_a_parent_only_when_something_below_it_is_sent) {
  tree_.file("a/b/c/wanted");
  tree_.file("a/b/other");
  tree_.file("a/d/other");
  tree_.directory("empty");
  EXPECT_THAT(paths(Lines{"a/b/c/wanted"}), ElementsAre("a", "a/b", "a/b/c", "a/b/c/wanted"));
  EXPECT_THAT(paths(Lines{"a/*/wanted"}), IsEmpty());
}

TEST_F(WalkTree, sends_empty_directories_that_are_selected) {
  tree_.directory("empty");
  EXPECT_THAT(paths(), ElementsAre("empty"));
}

TEST_F(WalkTree, looks_below_an_excluded_directory_only_for_what_is_taken_back) {
  tree_.file("a/keep");
  tree_.file("a/x");
  tree_.file("b/x");
  EXPECT_THAT(paths(std::nullopt, {"a", "b", "!a/keep"}), ElementsAre("a", "a/keep"));
}

TEST_F(WalkTree, gives_modes_sizes_and_times) {
  tree_.file("tool", "12345");
  ::chmod((tree_.path() / "tool").c_str(), 04755);
  const timespec times[2] = {{1, 0}, {1700000000, 123456789}};
  ::utimensat(AT_FDCWD, (tree_.path() / "tool").c_str(), times, 0);
  const FileEntry tool = walk().at(0);
  EXPECT_EQ(tool.mode, 0x008001EDu);
  EXPECT_EQ(tool.size, 5);
  EXPECT_EQ(tool.modified_ns, 1700000000123456789);
  EXPECT_EQ(tool.content, FileEntry::Content::file);
}

TEST_F(WalkTree, lists_links_and_does_not_follow_them) {
  tree_.link("out", "/etc");
  tree_.link("dangling", "no/where");
  const auto entries = walk();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].link_name, "no/where");
  EXPECT_EQ(entries[1].link_name, "/etc");
  EXPECT_EQ(entries[1].mode, 0x080001FFu);
  EXPECT_EQ(entries[1].content, FileEntry::Content::none);
}

TEST_F(WalkTree, points_a_hard_link_at_its_first_path) {
  tree_.file("b/first", "data");
  tree_.hard_link("c", "b/first");
  const auto entries = walk();
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[1].link_name, "");
  EXPECT_EQ(entries[1].size, 4);
  EXPECT_EQ(entries[2].link_name, "b/first");
  EXPECT_EQ(entries[2].size, 0);
}

TEST_F(WalkTree, never_points_a_hard_link_at_a_path_that_is_not_sent) {
  tree_.file("a", "data");
  tree_.hard_link("b", "a");
  tree_.hard_link("c", "a");
  const auto entries = walk(std::nullopt, {"a"});
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].link_name, "");
  EXPECT_EQ(entries[0].size, 4);
  EXPECT_EQ(entries[1].link_name, "b");
}

TEST_F(WalkTree, turns_a_socket_into_an_empty_file_and_keeps_a_pipe) {
  tree_.fifo("pipe");
  tree_.socket("socket");
  const auto entries = walk();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].mode & 0xFFFFFE00u, 0x02000000u);
  EXPECT_EQ(entries[0].content, FileEntry::Content::none);
  EXPECT_EQ(entries[1].mode & 0xFFFFFE00u, 0u);
  EXPECT_EQ(entries[1].content, FileEntry::Content::empty);
  EXPECT_EQ(entries[1].size, 0);
}

TEST_F(WalkTree, reads_extended_attributes_however_large) {
  tree_.file("x");
  const std::string large(3000, 'v');
  const std::string path = (tree_.path() / "x").string();
  if (::setxattr(path.c_str(), "user.note", large.data(), large.size(), 0) != 0) {
    GTEST_SKIP() << "this file system has no extended attributes";
  }
  ::setxattr(path.c_str(), "user.empty", "", 0, 0);
  EXPECT_THAT(
      walk().at(0).attributes,
      testing::UnorderedElementsAre(Pair("user.note", large), Pair("user.empty", "")));
}

TEST_F(WalkTree, ends_when_told_so) {
  tree_.file("a");
  tree_.file("b/c");
  tree_.file("d");
  EXPECT_EQ(walk(std::nullopt, {}, 2).size(), 2u);
}

TEST_F(WalkTree, leaves_out_what_vanishes_while_it_walks) {
  tree_.file("a");
  tree_.file("b");
  tree_.file("c/d");
  Lines seen;
  const UniqueFd root(::open(tree_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  walk_tree(root.get(), Selection(std::nullopt, {}), [&](const FileEntry& entry) {
    seen.push_back(entry.path);
    fs::remove(tree_.path() / "b");
    fs::remove_all(tree_.path() / "c");
    return true;
  });
  EXPECT_THAT(seen, ElementsAre("a"));
}

TEST_F(WalkTree, does_not_enter_a_directory_that_became_a_link) {
  tree_.file("a/inside");
  TempTree elsewhere;
  elsewhere.file("secret");
  Lines seen;
  const UniqueFd root(::open(tree_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  walk_tree(root.get(), Selection(std::nullopt, {}), [&](const FileEntry& entry) {
    seen.push_back(entry.path);
    fs::remove_all(tree_.path() / "a");
    fs::create_symlink(elsewhere.path(), tree_.path() / "a");
    return true;
  });
  EXPECT_THAT(seen, ElementsAre("a"));
}

TEST_F(WalkTree, names_a_directory_that_it_may_not_read) {
  tree_.file("open/closed/x");
  ::chmod(tree_.path().c_str(), 0755);
  ::chmod((tree_.path() / "open/closed").c_str(), 0);
  const AsNobody nobody;
  try {
    walk();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::forbidden);
    EXPECT_EQ(error.message(), "cannot read 'open/closed' of the build context: Permission denied");
    EXPECT_EQ(error.hint(), "exclude it in .dockerignore or make it readable");
  }
  EXPECT_THAT(paths(std::nullopt, {"open/closed"}), ElementsAre("open"));
}

}  // namespace
}  // namespace freshet::engine
