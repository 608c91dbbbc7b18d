// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/context_digest.hpp"

#include "freshet/base/testing/run.hpp"
#include "freshet/base/testing/temp_directory.hpp"
#include "freshet/engine/testing/temp_tree.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <ctime>
#include <fstream>
#include <functional>

namespace freshet::cache {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;

class Context : public ::testing::Test {
 protected:
  Context() {
    tree_.file("src/main.c", "int main() {}\n");
    tree_.file("src/empty");
    tree_.file("notes.log", "today");
    tree_.link("current", "src/main.c");
    tree_.directory("out");
  }

  ContextDigest digest() const { return digest_context({tree_.path(), {"*.log"}, {}}); }
  fs::path at(const std::string& name) const { return tree_.path() / name; }

  /// Whether `change` makes another context.
  bool counts(const std::function<void()>& change) const {
    const std::string before = digest().digest;
    change();
    return digest().digest != before;
  }

  engine::TempTree tree_;
};

TEST_F(Context, is_listed_with_its_files_and_their_bytes) {
  const ContextDigest context = digest();
  EXPECT_THAT(
      context.entries,
      ElementsAre(
          Field(&ContextEntry::path, "current"),
          Field(&ContextEntry::path, "out"),
          Field(&ContextEntry::path, "src"),
          Field(&ContextEntry::path, "src/empty"),
          Field(&ContextEntry::path, "src/main.c")));
  EXPECT_EQ(context.files, 2U);
  EXPECT_EQ(context.bytes, 14U);
  EXPECT_EQ(context.bytes_read, 14U);
}

TEST_F(Context, tells_links_and_other_names_of_a_file) {
  tree_.hard_link("src/z", "src/main.c");
  for (const ContextEntry& entry : digest().entries) {
    EXPECT_EQ(entry.is_link, entry.path == "current") << entry.path;
    const bool is_named = entry.path == "current" || entry.path == "src/z";
    EXPECT_EQ(entry.link, is_named ? "src/main.c" : "") << entry.path;
  }
}

TEST_F(Context, is_another_one_when_anything_changes_that_a_build_could_see) {
  const std::vector<std::pair<std::string, std::function<void()>>> changes{
      {"content", [&] { tree_.file("src/main.c", "int main() {;}\n"); }},
      {"content of the same length", [&] { tree_.file("src/main.c", "int main(){;}\n"); }},
      {"right to execute", [&] { ::chmod(at("src/main.c").c_str(), 0755); }},
      {"mode of a directory", [&] { ::chmod(at("out").c_str(), 0700); }},
      {"new file", [&] { tree_.file("src/new"); }},
      {"renamed file", [&] { fs::rename(at("src/new"), at("src/newer")); }},
      {"removed file", [&] { fs::remove(at("src/newer")); }},
      {"new directory", [&] { tree_.directory("out/deep"); }},
      {"target of a link",
       [&] {
         fs::remove(at("current"));
         tree_.link("current", "src/empty");
       }},
      {"link in place of a file",
       [&] {
         fs::remove(at("src/empty"));
         tree_.link("src/empty", "main.c");
       }},
      {"file in place of a link",
       [&] {
         fs::remove(at("current"));
         tree_.file("current", "src/empty");
       }},
      {"two names of one file", [&] { tree_.hard_link("src/z", "src/main.c"); }},
      {"pipe", [&] { tree_.fifo("src/pipe"); }},
  };
  for (const auto& [name, change] : changes) {
    EXPECT_TRUE(counts(change)) << name;
  }
}

TEST_F(Context, does_not_depend_on_times_owners_ignored_files_and_where_it_lies) {
  EXPECT_FALSE(counts([&] {
    const timespec times[] = {{1, 0}, {1, 0}};
    ::utimensat(AT_FDCWD, at("src/main.c").c_str(), times, 0);
    ::utimensat(AT_FDCWD, at("out").c_str(), times, 0);
  })) << "times";
  if (::geteuid() == 0) {
    EXPECT_FALSE(counts([&] { ASSERT_EQ(::chown(at("src/main.c").c_str(), 1234, 1234), 0); }))
        << "owner";
  }
  EXPECT_FALSE(counts([&] { tree_.file("notes.log", "tomorrow"); })) << "ignored file";
  EXPECT_FALSE(counts([&] { tree_.file("more.log"); })) << "new ignored file";

  engine::TempTree other;
  fs::copy(
      tree_.path(),
      other.path(),
      fs::copy_options::recursive | fs::copy_options::copy_symlinks |
          fs::copy_options::overwrite_existing);
  EXPECT_EQ(digest_context({other.path(), {"*.log"}, {}}).digest, digest().digest);
}

TEST_F(Context, is_another_one_when_more_or_less_is_ignored) {
  EXPECT_NE(digest_context({tree_.path(), {}, {}}).digest, digest().digest);
  EXPECT_NE(digest_context({tree_.path(), {"*.log", "out"}, {}}).digest, digest().digest);
  EXPECT_EQ(digest_context({tree_.path(), {"*.log", "*.tmp"}, {}}).digest, digest().digest);
}

TEST_F(Context, has_extended_attributes_that_count) {
  if (::setxattr(at("src/empty").c_str(), "user.a", "1", 1, 0) != 0) {
    GTEST_SKIP() << "the file system has no extended attributes";
  }
  EXPECT_TRUE(counts([&] { ::setxattr(at("src/empty").c_str(), "user.a", "2", 1, 0); }));
  EXPECT_TRUE(counts([&] { ::setxattr(at("out").c_str(), "user.a", "2", 1, 0); }));
}

TEST_F(Context, is_not_what_its_links_lead_to) {
  const freshet::testing::TempDirectory outside;
  std::ofstream(outside.path() / "secret") << "one";
  tree_.link("src/out", outside.path().string());
  tree_.link("src/secret", (outside.path() / "secret").string());
  EXPECT_FALSE(counts([&] { std::ofstream(outside.path() / "secret") << "another"; }));
}

TEST_F(Context, tells_which_entries_changed) {
  const ContextDigest before = digest();
  tree_.file("src/main.c", "other");
  const ContextDigest after = digest();
  std::vector<std::string> changed;
  for (std::size_t i = 0; i < before.entries.size(); ++i) {
    if (before.entries[i] != after.entries.at(i)) {
      changed.push_back(before.entries[i].path);
    }
  }
  EXPECT_THAT(changed, ElementsAre("src/main.c"));
}

TEST_F(Context, that_cannot_be_read_is_an_error_that_names_the_file) {
  ::chmod(tree_.path().c_str(), 0755);
  ::chmod(at("src/main.c").c_str(), 0);
  const engine::AsNobody nobody;
  EXPECT_EQ(
      freshet::testing::error_of([&] { digest(); }),
      "forbidden\n"
      "error: cannot read 'src/main.c' of the build context: Permission denied\n"
      "hint: exclude it in .dockerignore or make it readable\n");
}

/// A context whose files are older than any clock's step, and the memo of it.
class ContextAgain : public Context {
 protected:
  /// The clock cannot be turned, so files are looked at until they are old enough.
  void settle() {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (digest_again().bytes_read > 0 && std::chrono::steady_clock::now() < end) {
    }
  }

  ContextDigest digest_again() const { return digest_context({tree_.path(), {"*.log"}, memo_}); }

  freshet::testing::TempDirectory directory_;
  fs::path memo_ = directory_.path() / "app.memo";
};

TEST_F(ContextAgain, is_not_read_when_nothing_changed) {
  settle();
  const ContextDigest again = digest_again();
  EXPECT_EQ(again.bytes_read, 0U);
  EXPECT_EQ(again.bytes, 14U);
  EXPECT_EQ(again.digest, digest().digest);
}

TEST_F(ContextAgain, has_only_changed_files_read) {
  settle();
  tree_.file("src/empty", "abc");
  const ContextDigest again = digest_again();
  EXPECT_EQ(again.bytes_read, 3U);
  EXPECT_EQ(again.digest, digest().digest);
}

TEST_F(ContextAgain, notices_a_change_that_kept_size_and_time_of_the_file) {
  settle();
  struct stat status {};
  ::stat(at("src/main.c").c_str(), &status);
  std::ofstream(at("src/main.c"), std::ios::in) << "int main(){;}\n";
  const timespec times[] = {status.st_atim, status.st_mtim};
  ::utimensat(AT_FDCWD, at("src/main.c").c_str(), times, 0);
  EXPECT_EQ(digest_again().digest, digest().digest);
}

TEST_F(ContextAgain, notices_changes_as_fast_as_they_can_be_made) {
  digest_again();
  for (int i = 0; i < 200; ++i) {
    std::ofstream(at("src/main.c"), std::ios::in) << static_cast<char>('a' + i % 26);
    ASSERT_EQ(digest_again().digest, digest().digest) << i;
  }
}

TEST_F(ContextAgain, is_read_anew_when_the_memo_is_damaged) {
  settle();
  std::ofstream(memo_) << "nonsense";
  const ContextDigest again = digest_again();
  EXPECT_EQ(again.bytes_read, 14U);
  EXPECT_EQ(again.digest, digest().digest);
}

TEST_F(ContextAgain, is_digested_where_the_memo_cannot_be_written) {
  memo_ = at("notes.log") / "below" / "a-file.memo";
  EXPECT_EQ(digest_again().digest, digest().digest);
}

}  // namespace
}  // namespace freshet::cache
