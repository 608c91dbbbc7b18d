// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/copy/upload_locks.hpp"

#include "freshet/base/testing/temp_directory.hpp"
#include "freshet/net/testing/run.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace freshet::oci {
namespace {

using net::testing::run;

/// Each of the objects stands for a program: the kernel tells them apart like that.
class UploadLocksTest : public ::testing::Test {
 protected:
  UploadLocks::Taken take(UploadLocks& locks, const std::string& name) {
    return run(locks.take(Ctx(), name, patience, nullptr));
  }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(locks_path), fs::directory_iterator()));
  }

  testing::TempDirectory directory;
  const fs::path locks_path = directory.path() / "locks";
  UploadLocks one{locks_path};
  UploadLocks two{locks_path};
  UploadLocks::Patience patience;
};

TEST_F(UploadLocksTest, make_another_program_wait_until_the_lock_is_free) {
  std::optional<UploadLocks::Taken> first = take(one, "a");
  EXPECT_FALSE(first->has_waited);
  asio::io_context io;
  std::optional<UploadLocks::Taken> second;
  asio::co_spawn(
      io,
      two.take(Ctx(), "a", patience, nullptr),
      [&](std::exception_ptr, UploadLocks::Taken taken) { second = std::move(taken); });
  io.poll();
  EXPECT_FALSE(second);
  first.reset();
  io.run();
  ASSERT_TRUE(second && second->lock);
  EXPECT_TRUE(second->has_waited);
}

TEST_F(UploadLocksTest, are_done_without_when_patience_has_ended) {
  const auto first = take(one, "a");
  patience.ends_at = Ctx::Clock::now();
  const auto second = take(two, "a");
  EXPECT_FALSE(second.lock);
  EXPECT_TRUE(take(two, "b").lock);
}

TEST_F(UploadLocksTest, let_everybody_at_other_names_through) {
  const auto first = take(one, "a");
  const auto second = take(two, "b");
  EXPECT_TRUE(first.lock && second.lock);
  EXPECT_FALSE(second.has_waited);
}

TEST_F(UploadLocksTest, leave_no_files_behind) {
  {
    const auto held = take(one, "a");
    EXPECT_EQ(files(), 1U);
  }
  EXPECT_EQ(files(), 0U);
}

TEST_F(UploadLocksTest, drop_what_killed_programs_left_and_nothing_that_is_held) {
  const auto held = take(one, "a");
  std::ofstream(locks_path / "dead.upload");
  std::ofstream(locks_path / "0123456789abcdef");  // another kind of lock
  const auto other = take(two, "b");
  EXPECT_EQ(files(), 3U);
  EXPECT_FALSE(fs::exists(locks_path / "dead.upload"));
}

TEST_F(UploadLocksTest, end_waiting_at_the_deadline) {
  const auto held = take(one, "a");
  const Ctx soon = Ctx().within(std::chrono::milliseconds(1));
  try {
    run(two.take(soon, "a", patience, nullptr));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::deadline_exceeded);
    EXPECT_EQ(error.message(), "waiting for another program's upload of the same took too long");
  }
}

TEST_F(UploadLocksTest, are_done_without_where_they_cannot_be_had) {
  std::ofstream(directory.path() / "file");
  for (const fs::path& path : {fs::path(), directory.path() / "file" / "locks"}) {
    UploadLocks locks(path);
    const auto taken = take(locks, "a");
    EXPECT_FALSE(taken.lock || taken.has_waited);
  }
}

}  // namespace
}  // namespace freshet::oci
