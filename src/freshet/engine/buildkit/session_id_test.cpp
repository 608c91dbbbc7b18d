// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/buildkit/session_id.hpp"

#include "freshet/engine/testing/temp_tree.hpp"

#include <gmock/gmock.h>

#include <functional>

namespace freshet::engine {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

class SessionId : public ::testing::Test {
 protected:
  SessionId() {
    tree_.file("Dockerfile", "FROM scratch\nCOPY . /\n");
    tree_.file(".dockerignore", "ignored\n");
    tree_.file("src/main.c", "int main;");
    tree_.file("ignored/cache", "1");
  }

  /// After everything has settled.
  std::string find(const std::string& source_key = "key") const { return find_at(1h, source_key); }

  std::string find_at(std::chrono::seconds from_now, const std::string& source_key = "key") const {
    BuildRequest request;
    request.context_directory = tree_.path();
    request.dockerfile = DockerfilePath{tree_.path() / "Dockerfile"};
    const DirectoryTree context(tree_.path());
    return find_session_id(
        std::chrono::system_clock::now() + from_now, source_key, load_dockerfile(request), context);
  }

  TempTree tree_;
};

TEST_F(SessionId, comes_again_while_nothing_changes) {
  EXPECT_EQ(find(), find());
}

TEST_F(SessionId, is_another_after_any_change) {
  const std::vector<std::function<void()>> changes = {
      [&] { tree_.file("src/main.c", "int  main"); },
      [&] { tree_.file("src/new.c"); },
      [&] { fs::remove(tree_.path() / "src/new.c"); },
      [&] { fs::rename(tree_.path() / "src/main.c", tree_.path() / "src/other.c"); },
      [&] { fs::permissions(tree_.path() / "src", fs::perms::owner_all); },
      [&] { tree_.link("link", "src"); },
      [&] { tree_.file("Dockerfile", "FROM scratch\nCOPY src /\n"); },
      [&] { tree_.file(".dockerignore", "ignored\nlink\n"); },
      [&] { tree_.file("Dockerfile.dockerignore", "nothing\n"); },
  };
  std::string before = find();
  for (std::size_t i = 0; i < changes.size(); ++i) {
    changes[i]();
    const std::string after = find();
    EXPECT_NE(after, before) << "change " << i;
    before = after;
  }
}

TEST_F(SessionId, is_another_for_another_source) {
  EXPECT_NE(find("a"), find("b"));
}

TEST_F(SessionId, does_not_depend_on_what_is_ignored) {
  const std::string before = find();
  tree_.file("ignored/cache", "2");
  EXPECT_EQ(find(), before);
}

TEST_F(SessionId, never_comes_again_while_a_change_may_go_unseen) {
  EXPECT_NE(find_at(0s), find_at(0s));
  EXPECT_EQ(find_at(3s), find_at(3s));
}

TEST(IgnoreFile, is_read_as_the_builder_reads_it) {
  EXPECT_THAT(
      parse_ignore_file("\xEF\xBB\xBF# comment\n\n  a/b \r\n/c\n! /d\n#e\n #f\n"),
      ElementsAre("a/b", "c", "!d", "#f"));
}

}  // namespace
}  // namespace freshet::engine
