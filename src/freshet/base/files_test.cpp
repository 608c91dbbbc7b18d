// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/files.hpp"

#include "freshet/base/testing/run.hpp"
#include "freshet/base/testing/temp_directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace freshet {
namespace {

using testing::error_of;
using testing::TempDirectory;

int mode_of(const fs::path& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<int>(info.st_mode & 07777) : -1;
}

std::size_t count_of_files(const fs::path& directory) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

TEST(LoadFile, gives_the_whole_content) {
  const TempDirectory directory;
  std::string content("a\0b\n", 4);
  content.resize(200'000, 'x');
  replace_private_file(directory.path() / "f", content);
  EXPECT_EQ(load_file(directory.path() / "f", content.size()), content);
}

TEST(LoadFile, refuses_a_file_above_the_limit) {
  const TempDirectory directory;
  const fs::path path = directory.path() / "f";
  replace_private_file(path, "12345");
  EXPECT_EQ(
      error_of([&] { load_file(path, 4); }),
      fmt::format("too_large\nerror: '{}' is larger than the limit of 4 bytes\n", path.string()));
  EXPECT_THROW(load_file("/dev/zero", 1'000'000), Error) << "has no size of its own";
}

TEST(LoadFile, names_what_it_cannot_read) {
  const TempDirectory directory;
  const std::string path = (directory.path() / "nope").string();
  EXPECT_EQ(
      error_of([&] { load_file(path, 10); }),
      "not_found\nerror: cannot read '" + path + "': No such file or directory\n");
  EXPECT_EQ(
      error_of([&] { load_file(directory.path(), 10); }),
      "invalid_input\nerror: '" + directory.path().string() + "' is a directory, not a file\n");
}

TEST(ReplacePrivateFile, leaves_one_private_file_with_the_new_content) {
  const TempDirectory directory;
  const fs::path path = directory.path() / "f";
  replace_private_file(path, "a long old content");
  ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
  replace_private_file(path, "new");
  EXPECT_EQ(load_file(path, 100), "new");
  EXPECT_EQ(mode_of(path), 0600);
  EXPECT_EQ(count_of_files(directory.path()), 1u);
}

TEST(ReplacePrivateFile, leaves_nothing_behind_when_it_fails) {
  const TempDirectory directory;
  const fs::path path = directory.path() / "is-a-directory";
  fs::create_directory(path);
  EXPECT_EQ(
      error_of([&] { replace_private_file(path, "x"); }),
      "unavailable\nerror: cannot write '" + path.string() + "': Is a directory\n");
  EXPECT_EQ(count_of_files(directory.path()), 1u);
}

TEST(MakePrivateDirectory, makes_missing_parents_and_is_private_itself) {
  const TempDirectory directory;
  for (const char* name : {"a/b/plain", "c/d/with-a-slash/"}) {
    make_private_directory(directory.path() / name);
    EXPECT_EQ(mode_of(directory.path() / name), 0700) << name;
    make_private_directory(directory.path() / name);
  }
}

TEST(MakePrivateDirectory, says_why_it_cannot) {
  const TempDirectory directory;
  replace_private_file(directory.path() / "file", "");
  const fs::path path = directory.path() / "file" / "below";
  EXPECT_EQ(
      error_of([&] { make_private_directory(path); }),
      "not_found\nerror: cannot create '" + path.string() + "': Not a directory\n");
}

TEST(RequirePrivate, accepts_what_only_the_owner_can_read) {
  const TempDirectory directory;
  replace_private_file(directory.path() / "f", "");
  EXPECT_EQ(error_of([&] { require_private(directory.path() / "f", "the key"); }), "no error");
  EXPECT_EQ(error_of([&] { require_private(directory.path(), "the directory"); }), "no error");
  EXPECT_EQ(error_of([&] { require_private(directory.path() / "nope", "the key"); }), "no error");
}

TEST(RequirePrivate, refuses_what_others_can_read_or_write) {
  const TempDirectory directory;
  const std::string file = (directory.path() / "f").string();
  replace_private_file(file, "");
  for (const mode_t mode : {0640u, 0604u, 0620u, 0602u, 0601u}) {
    ASSERT_EQ(::chmod(file.c_str(), mode), 0);
    EXPECT_EQ(
        error_of([&] { require_private(file, "the key"); }),
        fmt::format(
            "forbidden\n"
            "error: the key '{0}' can be read by others (mode {1:04o})\n"
            "hint: run 'chmod 600 {0}', and renew the stored passwords if others may have read "
            "it\n",
            file,
            mode));
  }
  ASSERT_EQ(::chmod(directory.path().c_str(), 0755), 0);
  EXPECT_EQ(
      error_of([&] { require_private(directory.path(), "the directory"); }),
      fmt::format(
          "forbidden\n"
          "error: the directory '{0}' can be read by others (mode 0755)\n"
          "hint: run 'chmod 700 {0}', and renew the stored passwords if others may have read it\n",
          directory.path().string()));
}

TEST(RequirePrivate, refuses_what_belongs_to_somebody_else) {
  const TempDirectory directory;
  const std::string file = (directory.path() / "f").string();
  replace_private_file(file, "");
  if (::chown(file.c_str(), 12345, static_cast<gid_t>(-1)) != 0) {
    GTEST_SKIP() << "only root can give a file away";
  }
  EXPECT_EQ(
      error_of([&] { require_private(file, "the key"); }),
      "forbidden\n"
      "error: the key '" +
          file +
          "' belongs to another user (uid 12345)\n"
          "hint: run freshet as that user, or use another --data-dir\n");
}

TEST(FileLock, is_held_by_one_at_a_time) {
  const TempDirectory directory;
  const fs::path path = directory.path() / "lock";
  std::optional<FileLock> first = FileLock::try_acquire(path);
  ASSERT_TRUE(first);
  EXPECT_FALSE(FileLock::try_acquire(path));
  FileLock moved = std::move(*first);
  first.reset();
  EXPECT_FALSE(FileLock::try_acquire(path)) << "the lock has only moved";
  { const FileLock ended = std::move(moved); }
  EXPECT_TRUE(FileLock::try_acquire(path));
  EXPECT_EQ(mode_of(path), 0600);
}

TEST(FileLock, is_of_the_file_that_has_the_name) {
  TempDirectory directory;
  const fs::path path = directory.path() / "lock";
  std::optional<FileLock> first = FileLock::try_acquire(path);
  ASSERT_TRUE(first);
  fs::remove(path);
  const std::optional<FileLock> second = FileLock::try_acquire(path);
  EXPECT_TRUE(second) << "the holder removed it: the name is free";
  first.reset();
  EXPECT_FALSE(FileLock::try_acquire(path));
}

TEST(FileLock, says_why_it_cannot_be_taken) {
  const TempDirectory directory;
  const std::string path = (directory.path() / "nope" / "lock").string();
  EXPECT_EQ(
      error_of([&] { FileLock::try_acquire(path); }),
      "not_found\nerror: cannot open '" + path + "': No such file or directory\n");
}

TEST(UniqueFd, closes_what_it_owns_once) {
  const int raw = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_TRUE(is_open(raw));
  {
    UniqueFd first(raw);
    UniqueFd second = std::move(first);
    EXPECT_FALSE(first.is_open());  // NOLINT(bugprone-use-after-move): that is what is asked
    EXPECT_EQ(second.get(), raw);
  }
  EXPECT_FALSE(is_open(raw));
}

TEST(RemoveTree, removes_everything_below) {
  const TempDirectory directory;
  fs::create_directories(directory.path() / "a/b/c");
  replace_private_file(directory.path() / "a/b/f", "x");
  EXPECT_EQ(remove_tree(directory.path() / "a"), "");
  EXPECT_FALSE(fs::exists(directory.path() / "a"));
  EXPECT_EQ(remove_tree(directory.path() / "nope"), "");
}

}  // namespace
}  // namespace freshet
