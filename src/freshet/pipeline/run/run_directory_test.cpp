// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/run/run_directory.hpp"

#include "freshet/base/ids.hpp"

#include <gtest/gtest.h>

#include <fstream>

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
