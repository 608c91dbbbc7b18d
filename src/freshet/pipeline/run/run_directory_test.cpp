// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/run/run_directory.hpp"

#include "freshet/base/ids.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <optional>

namespace freshet::pipeline {
namespace {

class RunDirectoryTest : public ::testing::Test {
 protected:
  RunDirectoryTest() : data_(fs::temp_directory_path() / ("freshet-runs-" + make_id())) {
    make_private_directory(data_);
  }
  ~RunDirectoryTest() override { remove_tree(data_); }

  fs::path data_;
};

TEST_F(RunDirectoryTest, of_a_living_run_is_not_taken_for_dead) {
  const RunDirectory run = RunDirectory::create(data_, "b1");
  EXPECT_TRUE(DeadRuns(data_).list().empty());
}

TEST_F(RunDirectoryTest, of_a_run_that_never_closed_is_found_and_emptied_but_for_its_logs) {
  {
    const RunDirectory run = RunDirectory::create(data_, "b1");  // its process dies here
    fs::create_directories(run.state() / "volume");
    std::ofstream(run.step_log(0, "make it")) << "output";
  }
  DeadRuns dead(data_);
  ASSERT_EQ(dead.list().size(), 1U);
  EXPECT_EQ(dead.list()[0].build_id, "b1");
  EXPECT_TRUE(DeadRuns(data_).list().empty()) << "a second process must not clean up as well";

  EXPECT_TRUE(DeadRuns::remove_files(dead.list()[0]).empty());
  EXPECT_FALSE(fs::exists(data_ / "runs/b1/state"));
  EXPECT_TRUE(fs::exists(data_ / "runs/b1/logs/01-make_it.log"));
}

TEST_F(RunDirectoryTest, that_was_closed_is_done_with) {
  {
    RunDirectory run = RunDirectory::create(data_, "b1");
    fs::create_directories(run.state());
    EXPECT_TRUE(run.close().empty());
    EXPECT_FALSE(fs::exists(run.state()));
  }
  EXPECT_TRUE(DeadRuns(data_).list().empty());
}

/// An ordinary user for as long as it lives, where the tests run as root.
class AsOrdinaryUser {
 public:
  explicit AsOrdinaryUser(const fs::path& home) {
    if (::geteuid() == 0) {
      for (const fs::directory_entry& entry : fs::recursive_directory_iterator(home)) {
        EXPECT_EQ(::lchown(entry.path().c_str(), k_user, k_user), 0);
      }
      EXPECT_EQ(::lchown(home.c_str(), k_user, k_user), 0);
      was_root_ = ::seteuid(k_user) == 0;
    }
  }
  ~AsOrdinaryUser() {
    if (was_root_) {
      EXPECT_EQ(::seteuid(0), 0);
    }
  }
  AsOrdinaryUser(const AsOrdinaryUser&) = delete;
  AsOrdinaryUser& operator=(const AsOrdinaryUser&) = delete;

 private:
  static constexpr uid_t k_user = 4321;
  bool was_root_ = false;
};

TEST_F(RunDirectoryTest, with_something_that_cannot_be_removed_is_found_again) {
  std::optional<RunDirectory> run = RunDirectory::create(data_, "b1");
  const fs::path stubborn = run->state() / "volume";
  fs::create_directories(stubborn / "inside");
  fs::create_directories(run->path() / "step-01");
  const AsOrdinaryUser user(data_);
  fs::permissions(stubborn, fs::perms::owner_read | fs::perms::owner_exec);

  const std::vector<std::string> problems = run->close();
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(
      problems[0], fmt::format("cannot remove '{}': Permission denied", run->state().string()));
  EXPECT_FALSE(fs::exists(run->path() / "step-01"));
  run.reset();
  {
    DeadRuns dead(data_);
    ASSERT_EQ(dead.list().size(), 1U);
    EXPECT_EQ(DeadRuns::remove_files(dead.list()[0]), problems);
  }
  DeadRuns dead(data_);
  ASSERT_EQ(dead.list().size(), 1U) << "who could not remove it must leave it to the next";
  EXPECT_EQ(
      leftovers_of(dead.list()[0].path), std::vector<fs::path>{dead.list()[0].path / "state"});
  fs::permissions(stubborn, fs::perms::owner_all);
  EXPECT_TRUE(DeadRuns::remove_files(dead.list()[0]).empty());
  EXPECT_TRUE(DeadRuns(data_).list().empty());
}

TEST_F(RunDirectoryTest, old_logs_go_and_living_runs_stay) {
  for (const char* id : {"b1", "b2", "b3"}) {
    RunDirectory::create(data_, id).close();
    fs::last_write_time(
        data_ / "runs" / id / "lock",
        fs::file_time_type::clock::now() - std::chrono::hours('9' - id[1]));
  }
  const RunDirectory living = RunDirectory::create(data_, "b0");
  remove_old_logs(data_, 2);
  EXPECT_FALSE(fs::exists(data_ / "runs/b1"));
  EXPECT_TRUE(fs::exists(data_ / "runs/b2"));
  EXPECT_TRUE(fs::exists(data_ / "runs/b3"));
  EXPECT_TRUE(fs::exists(living.logs()));
}

}  // namespace
}  // namespace freshet::pipeline
