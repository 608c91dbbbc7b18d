// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/run/reclaim/ownership.hpp"

#include "freshet/base/files.hpp"
#include "freshet/base/ids.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace freshet::pipeline {
namespace {

constexpr Owner k_somebody{4321, 4322};

std::string problems;

void note(const char* name, int error) {
  problems += std::string(name) + ": " + std::strerror(error) + "\n";
}

class OwnershipTest : public ::testing::Test {
 protected:
  OwnershipTest() : root_(fs::temp_directory_path() / ("freshet-ownership-" + make_id())) {
    problems.clear();
    fs::create_directories(root_ / "tree/a/b");
    std::ofstream(root_ / "tree/a/b/file") << "1";
    std::ofstream(root_ / "outside") << "2";
    fs::create_symlink(root_ / "outside", root_ / "tree/a/link");
    fs::create_directory_symlink(root_, root_ / "tree/a/up");
  }
  ~OwnershipTest() override { remove_tree(root_); }

  UniqueFd open(const fs::path& path) const {
    return UniqueFd(::open((root_ / path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  bool is_all_ours() const { return is_all_owned_by(open("tree").get(), ::geteuid()); }

  struct stat look_at(const fs::path& path) const {
    struct stat info {};
    EXPECT_EQ(::lstat((root_ / path).c_str(), &info), 0) << path;
    return info;
  }
  /// `user:group` of the entry itself.
  std::string owner_of(const fs::path& path) const {
    const struct stat info = look_at(path);
    return std::to_string(info.st_uid) + ":" + std::to_string(info.st_gid);
  }

  fs::path root_;
};

/// Those that give files away: only root can.
class OwnershipAsRoot : public OwnershipTest {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) {
      GTEST_SKIP() << "needs root";
    }
  }
};

TEST_F(OwnershipTest, of_a_tree_that_we_made_is_ours_wherever_its_links_lead) {
  fs::create_directory_symlink("/", root_ / "tree/root");
  EXPECT_TRUE(is_all_ours());
}

TEST_F(OwnershipTest, of_a_directory_that_does_not_let_us_in_does_not_count_as_ours) {
  fs::permissions(root_ / "tree/a/b", fs::perms::owner_read);
  EXPECT_FALSE(is_all_ours());
  EXPECT_TRUE(take_tree(open("tree").get(), {::geteuid(), ::getegid()}, note)) << problems;
  EXPECT_TRUE(is_all_ours());
}

TEST_F(OwnershipAsRoot, of_one_foreign_entry_however_deep_makes_the_tree_not_ours) {
  for (const char* path : {"tree", "tree/a/b", "tree/a/b/file", "tree/a/link"}) {
    ASSERT_EQ(::lchown((root_ / path).c_str(), 4321, 4322), 0);
    EXPECT_FALSE(is_all_ours()) << path;
    ASSERT_EQ(::lchown((root_ / path).c_str(), ::geteuid(), ::getegid()), 0);
    EXPECT_TRUE(is_all_ours()) << path;
  }
}

TEST_F(OwnershipAsRoot, is_taken_of_all_in_the_tree_and_of_nothing_that_its_links_lead_to) {
  ASSERT_EQ(::chmod((root_ / "tree/a").c_str(), 0050), 0);

  EXPECT_TRUE(take_tree(open("tree").get(), k_somebody, note)) << problems;

  for (const char* path :
       {"tree", "tree/a", "tree/a/b", "tree/a/b/file", "tree/a/link", "tree/a/up"}) {
    EXPECT_EQ(owner_of(path), "4321:4322") << path;
  }
  EXPECT_EQ(owner_of("outside"), "0:0");
  EXPECT_EQ(owner_of("."), "0:0");
  EXPECT_EQ(look_at("tree/a").st_mode & 07777, 0750U);
  EXPECT_TRUE(is_all_owned_by(open("tree").get(), 4321));
}

TEST_F(OwnershipAsRoot, stays_as_it_is_where_the_user_is_right_already) {
  ASSERT_EQ(::lchown((root_ / "tree/a/b/file").c_str(), 4321, 99), 0);
  ASSERT_EQ(::chmod((root_ / "tree/a/b/file").c_str(), 04755), 0);
  EXPECT_TRUE(take_tree(open("tree").get(), k_somebody, note)) << problems;
  EXPECT_EQ(owner_of("tree/a/b/file"), "4321:99");
  EXPECT_EQ(look_at("tree/a/b/file").st_mode & 07777, 04755U);
}

TEST_F(OwnershipAsRoot, of_one_directory_is_taken_without_what_is_in_it) {
  ASSERT_EQ(::chmod((root_ / "tree").c_str(), 01700), 0);
  EXPECT_TRUE(take_directory(open("tree").get(), k_somebody, note)) << problems;
  EXPECT_EQ(owner_of("tree"), "4321:4322");
  EXPECT_EQ(owner_of("tree/a"), "0:0");
  EXPECT_EQ(look_at("tree").st_mode & 07777, 0777U);
}

TEST_F(OwnershipTest, is_looked_up_below_a_directory_without_following_links) {
  const UniqueFd root = open(".");
  const auto opens = [&](const char* path) {
    const UniqueFd found(open_directory_below(root.get(), path));
    return found.is_open() ? "open" : std::strerror(errno);
  };
  EXPECT_STREQ(opens("tree/a/b"), "open");
  EXPECT_STREQ(opens("tree//a/"), "open");
  EXPECT_STREQ(opens(""), "open");
  EXPECT_STREQ(opens("."), "open");
  EXPECT_STREQ(opens("tree/none"), std::strerror(ENOENT));
  EXPECT_STREQ(opens("tree/a/b/file"), std::strerror(ENOTDIR));
  EXPECT_STREQ(opens("tree/a/up"), std::strerror(ENOTDIR));
  EXPECT_STREQ(opens("tree/a/up/tree"), std::strerror(ENOTDIR));
  EXPECT_STREQ(opens("tree/../tree"), std::strerror(EINVAL));
  EXPECT_STREQ(opens(std::string(300, 'x').c_str()), std::strerror(ENAMETOOLONG));
}

TEST_F(OwnershipTest, of_the_directory_that_is_opened_has_entries_to_read_a_second_time) {
  const UniqueFd tree = open("tree");
  EXPECT_TRUE(is_all_owned_by(tree.get(), ::geteuid()));
  EXPECT_TRUE(is_all_owned_by(tree.get(), ::geteuid()));
  fs::permissions(root_ / "tree/a/b", fs::perms::none);
  EXPECT_FALSE(is_all_owned_by(tree.get(), ::geteuid()));
}

}  // namespace
}  // namespace freshet::pipeline
