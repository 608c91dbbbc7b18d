// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/filesync/follow_paths.hpp"

#include "freshet/engine/testing/temp_tree.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>

namespace freshet::engine {
namespace {

using testing::ElementsAre;
using testing::Optional;
using testing::UnorderedElementsAre;
using Lines = std::vector<std::string>;

class FollowPaths : public testing::Test {
 protected:
  std::optional<Lines> resolve(const Lines& paths) {
    const UniqueFd root(::open(tree_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return resolve_follow_paths(root.get(), paths);
  }

  TempTree tree_;
};

TEST_F(FollowPaths, keeps_plain_and_absent_paths) {
  tree_.file("src/a");
  EXPECT_THAT(
      resolve({"src/a", "/absent/x", "./src/"}), Optional(ElementsAre("absent/x", "src", "src/a")));
}

TEST_F(FollowPaths, includes_a_link_and_what_it_leads_to) {
  tree_.file("real/file");
  tree_.link("link", "real/file");
  tree_.link("dir", "real");
  EXPECT_THAT(resolve({"link"}), Optional(ElementsAre("link", "real/file")));
  EXPECT_THAT(resolve({"dir/file"}), Optional(ElementsAre("dir", "real/file")));
}

TEST_F(
    FollowPaths, resolves_targets_from_the_directory_of_the_link_and_absolute_ones_from_the_root) {
  tree_.file("a/b/file");
  tree_.file("top");
  tree_.link("a/b/up", "../../top");
  tree_.link("a/b/absolute", "/top");
  EXPECT_THAT(resolve({"a/b/up"}), Optional(ElementsAre("a/b/up", "top")));
  EXPECT_THAT(resolve({"a/b/absolute"}), Optional(ElementsAre("a/b/absolute", "top")));
}

TEST_F(FollowPaths, never_leaves_the_root) {
  tree_.link("escape", "../../../etc/passwd");
  EXPECT_THAT(resolve({"escape"}), Optional(ElementsAre("escape", "etc/passwd")));
}

TEST_F(FollowPaths, ends_at_loops) {
  tree_.link("a", "b");
  tree_.link("b", "a");
  tree_.link("self", "self/x");
  EXPECT_THAT(resolve({"a", "self"}), Optional(UnorderedElementsAre("a", "b", "self")));
}

TEST_F(FollowPaths, keeps_wildcards_and_follows_the_links_that_they_match) {
  tree_.file("real/1.txt");
  tree_.link("one.txt", "real/1.txt");
  tree_.file("two.txt");
  EXPECT_THAT(resolve({"*.txt"}), Optional(UnorderedElementsAre("*.txt", "one.txt", "real/1.txt")));
}

TEST_F(FollowPaths, follows_links_below_a_wildcard) {
  tree_.file("real/data");
  tree_.link("mods/m1/data", "/real/data");
  tree_.file("mods/m2/data");
  EXPECT_THAT(
      resolve({"mods/*/data"}),
      Optional(UnorderedElementsAre("mods/*/data", "mods/m1/data", "real/data")));
}

TEST_F(FollowPaths, takes_special_characters_in_a_link_literally) {
  tree_.file("odd[1]/x");
  tree_.link("link", "odd[1]/x");
  EXPECT_THAT(resolve({"link"}), Optional(UnorderedElementsAre("link", "odd\\[1\\]/x")));
}

TEST_F(FollowPaths, has_no_filter_when_everything_is_wanted) {
  tree_.link("here", ".");
  EXPECT_EQ(resolve({"a", "."}), std::nullopt);
  EXPECT_EQ(resolve({"/"}), std::nullopt);
  EXPECT_EQ(resolve({"here"}), std::nullopt);
  EXPECT_EQ(resolve({"../.."}), std::nullopt);
}

}  // namespace
}  // namespace freshet::engine
