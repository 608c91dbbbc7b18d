// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/context_memo.hpp"

#include "freshet/base/testing/temp_directory.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

namespace freshet::cache {
namespace {

constexpr std::int64_t k_second = 1'000'000'000;
constexpr FileState k_state{12, 5 * k_second + 1, 6 * k_second + 1, 77};

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class Memo : public ::testing::Test {
 protected:
  void save_one() {
    ContextMemoWriter writer;
    writer.remember("src/main.c", k_state, "sha256:1234");
    writer.save(file_);
  }

  freshet::testing::TempDirectory directory_;
  fs::path file_ = directory_.path() / "contexts" / "app.memo";
};

TEST_F(Memo, knows_after_the_process_ended_what_it_was_told) {
  save_one();
  EXPECT_EQ(ContextMemo::load(file_).find("src/main.c", k_state), "sha256:1234");
}

TEST_F(Memo, is_asked_in_any_order) {
  ContextMemoWriter writer;
  for (int i = 0; i < 10; ++i) {
    writer.remember(std::to_string(i), k_state, "digest of " + std::to_string(i));
  }
  writer.save(file_);
  ContextMemo memo = ContextMemo::load(file_);
  for (const char* path : {"0", "1", "5", "6", "2", "9", "0", "9"}) {
    EXPECT_EQ(memo.find(path, k_state), std::string("digest of ") + path);
  }
  EXPECT_EQ(memo.find("10", k_state), std::nullopt);
}

TEST_F(Memo, does_not_know_a_file_of_which_anything_is_different) {
  save_one();
  ContextMemo memo = ContextMemo::load(file_);
  for (int i = 0; i < 4; ++i) {
    FileState other = k_state;
    other.size += i == 0;
    other.modified_ns += i == 1;
    other.changed_ns += i == 2;
    other.inode += i == 3;
    EXPECT_EQ(memo.find("src/main.c", other), std::nullopt) << i;
  }
  EXPECT_EQ(memo.find("main.c", k_state), std::nullopt);
}

TEST_F(Memo, is_empty_when_its_file_is_damaged_anywhere) {
  save_one();
  const std::string whole = bytes_of(file_);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    std::ofstream(file_, std::ios::binary) << damaged;
    ASSERT_EQ(ContextMemo::load(file_).size(), 0U) << i;
    std::ofstream(file_, std::ios::binary) << whole.substr(0, i);
    ASSERT_EQ(ContextMemo::load(file_).size(), 0U) << i;
  }
}

TEST_F(Memo, is_empty_when_there_is_no_file) {
  EXPECT_EQ(ContextMemo::load(file_).size(), 0U);
}

TEST_F(Memo, keeps_the_newest_of_its_neighbours) {
  const fs::path old = directory_.path() / "contexts" / "old.memo";
  fs::create_directories(old.parent_path());
  std::ofstream(old) << "x";
  fs::last_write_time(old, fs::file_time_type::clock::now() - std::chrono::hours(1));
  for (std::size_t i = 1; i < ContextMemoWriter::k_max_memos; ++i) {
    std::ofstream(old.parent_path() / (std::to_string(i) + ".memo")) << "x";
  }
  save_one();
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(file_));
  EXPECT_TRUE(fs::exists(old.parent_path() / "1.memo"));
}

TEST(IsSettled, only_when_a_later_change_is_sure_to_get_another_time) {
  const std::int64_t changed = 1000 * k_second + 123;  // counted in nanoseconds
  EXPECT_TRUE(is_settled({1, 0, changed, 1}, changed + k_second));
  EXPECT_FALSE(is_settled({1, 0, changed, 1}, changed + k_second / 100));
  EXPECT_FALSE(is_settled({1, 0, changed, 1}, changed));
  EXPECT_FALSE(is_settled({1, 0, changed, 1}, changed - k_second));  // of another clock
}

TEST(IsSettled, waits_longer_where_times_are_whole_seconds) {
  const std::int64_t changed = 1000 * k_second;
  EXPECT_FALSE(is_settled({1, 0, changed, 1}, changed + k_second));
  EXPECT_TRUE(is_settled({1, 0, changed, 1}, changed + 3 * k_second));
}

}  // namespace
}  // namespace freshet::cache
