// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/run/workspace.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/ids.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace freshet::pipeline {
namespace {

class WorkspaceTest : public ::testing::Test {
 protected:
  WorkspaceTest() : data_(fs::temp_directory_path() / ("freshet-workspace-" + make_id())) {
    make_private_directory(data_);
  }
  ~WorkspaceTest() override { remove_tree(data_); }

  RunDirectory new_run() { return RunDirectory::create(data_, make_id()); }
  Workspace take(const RunDirectory& run, std::string_view pipeline = "demo") {
    return Workspace::take(data_, pipeline, run);
  }

  fs::path data_;
};

std::string message_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.message();
  }
  return "no error";
}

TEST_F(WorkspaceTest, gives_the_next_run_what_the_last_one_saved) {
  const RunDirectory first = new_run();
  Workspace saved = take(first);
  std::ofstream(saved.root() / "kept") << "1";
  saved.save();

  const RunDirectory second = new_run();
  EXPECT_TRUE(fs::exists(take(second).root() / "kept"));
}

TEST_F(WorkspaceTest, starts_empty_while_another_run_has_the_saved_one) {
  const RunDirectory first = new_run();
  Workspace saved = take(first);
  std::ofstream(saved.root() / "a") << "1";
  saved.save();

  // Build 2 sees what 1 saved; build 3 starts before 2 ends and is empty; the last to end wins.
  const RunDirectory second = new_run();
  const RunDirectory third = new_run();
  Workspace of_second = take(second);
  Workspace of_third = take(third);
  EXPECT_TRUE(fs::exists(of_second.root() / "a"));
  EXPECT_FALSE(fs::exists(of_third.root() / "a"));
  std::ofstream(of_third.root() / "c") << "3";
  of_second.save();
  of_third.save();

  const RunDirectory fourth = new_run();
  const Workspace of_fourth = take(fourth);
  EXPECT_TRUE(fs::exists(of_fourth.root() / "c"));
  EXPECT_FALSE(fs::exists(of_fourth.root() / "a"));
}

TEST_F(WorkspaceTest, keeps_pipelines_apart_even_when_their_names_look_alike) {
  const RunDirectory first = new_run();
  Workspace saved = take(first, "team/app");
  std::ofstream(saved.root() / "kept") << "1";
  saved.save();

  const RunDirectory second = new_run();
  EXPECT_FALSE(fs::exists(take(second, "team_app").root() / "kept"));
}

TEST_F(WorkspaceTest, forgets_what_an_earlier_build_exported) {
  const RunDirectory first = new_run();
  Workspace saved = take(first);
  std::ofstream(saved.root() / "env_vars_to_export") << "A=1\n";
  saved.save();

  const RunDirectory second = new_run();
  EXPECT_FALSE(fs::exists(take(second).root() / "env_vars_to_export"));
}

TEST_F(WorkspaceTest, maps_paths_of_containers_to_this_machine) {
  const RunDirectory run = new_run();
  const Workspace workspace = take(run);
  EXPECT_EQ(workspace.host_path("/codefresh/volume"), workspace.root());
  EXPECT_EQ(workspace.host_path("/codefresh/volume/a/../b/"), workspace.root() / "b");
}

TEST_F(WorkspaceTest, refuses_paths_that_leave_the_volume) {
  const RunDirectory run = new_run();
  const Workspace workspace = take(run);
  fs::create_directory_symlink("/etc", workspace.root() / "link");
  for (const char* path : {"/etc", "/codefresh/volume/../../etc", "/codefresh/volumes", "/"}) {
    EXPECT_EQ(
        message_of([&] { workspace.host_path(path); }),
        fmt::format("'{}' is outside of the shared volume", path));
  }
  EXPECT_EQ(
      message_of([&] { workspace.host_path("/codefresh/volume/link/passwd"); }),
      "'/codefresh/volume/link/passwd' leads out of the shared volume by a symbolic link");
}

TEST(JoinContainerPath, works_like_a_shell) {
  EXPECT_EQ(join_container_path("/codefresh/volume", "app"), "/codefresh/volume/app");
  EXPECT_EQ(join_container_path("/codefresh/volume", "./a/./b/.."), "/codefresh/volume/a");
  EXPECT_EQ(join_container_path("/codefresh/volume", "/opt//x/"), "/opt/x");
  EXPECT_EQ(join_container_path("/a", "../../../b"), "/b");
}

}  // namespace
}  // namespace freshet::pipeline
