// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/locked_memory.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace freshet {
namespace {

/// What the kernel says of the mapping that holds `data`: two letters each, in blanks.
/// Source: proc(5), "VmFlags".
std::string flags_of(const char* data) {
  std::ifstream maps("/proc/self/smaps");
  const auto wanted = reinterpret_cast<std::uintptr_t>(data);
  bool is_found = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char dash = 0;
    std::istringstream range(line);
    if (range >> std::hex >> begin >> dash >> end && dash == '-') {
      is_found = begin <= wanted && wanted < end;
    }
    if (is_found && line.starts_with("VmFlags:")) {
      return line + " ";
    }
  }
  return "no such mapping";
}

bool has(const std::string& flags, const std::string& flag) {
  return flags.find(" " + flag + " ") != std::string::npos;
}

bool may_lock(std::size_t bytes) {
  void* pages = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  static_cast<void>(::mlock(pages, bytes));
  const bool is_locked = has(flags_of(static_cast<const char*>(pages)), "lo");
  ::munmap(pages, bytes);
  return is_locked;
}

class LockedBytesTest : public ::testing::TestWithParam<std::size_t> {};

/// One that shares its pages and one that does not.
INSTANTIATE_TEST_SUITE_P(sizes, LockedBytesTest, ::testing::Values(32, 100'000));

TEST_P(LockedBytesTest, are_kept_out_of_swap) {
  if (!may_lock(GetParam() + 64UL * 1024)) {
    GTEST_SKIP() << "this process may not lock as much, or a sanitizer keeps it from that";
  }
  const LockedBytes bytes(std::string(GetParam(), 'x'));
  EXPECT_TRUE(has(flags_of(bytes.view().data()), "lo")) << flags_of(bytes.view().data());
}

TEST_P(LockedBytesTest, are_kept_out_of_core_dumps) {
  const LockedBytes bytes(std::string(GetParam(), 'x'));
  EXPECT_TRUE(has(flags_of(bytes.view().data()), "dd")) << flags_of(bytes.view().data());
}

TEST_P(LockedBytesTest, are_copied_and_moved_as_values_are) {
  const std::string text(GetParam(), 'x');
  LockedBytes first(text);
  LockedBytes second(first);
  EXPECT_EQ(second.view(), text);
  EXPECT_NE(second.view().data(), first.view().data());

  const char* data = first.view().data();
  const LockedBytes third(std::move(first));
  EXPECT_EQ(third.view().data(), data);
  EXPECT_TRUE(first.view().empty());  // NOLINT(bugprone-use-after-move): that is what is asked

  second = LockedBytes("other");
  EXPECT_EQ(second.view(), "other");
  EXPECT_EQ(third.view(), text);
}

TEST(LockedBytes, may_be_none) {
  EXPECT_TRUE(LockedBytes().view().empty());
  EXPECT_NE(LockedBytes("").view().data(), nullptr) << "C functions want a pointer";
}

TEST(LockedBytes, are_wiped_when_they_go) {
  const char* data = nullptr;
  {
    const LockedBytes bytes("s3cret");
    data = bytes.view().data();
  }
  EXPECT_EQ(std::string(data, 6), std::string(6, '\0'));  // still mapped, and nobody's yet
}

TEST(LockedBytes, share_few_pages_and_no_bytes) {
  constexpr std::size_t k_page = 4096;
  std::vector<LockedBytes> kept;
  std::set<std::uintptr_t> pages;
  for (std::size_t i = 0; i < 1000; ++i) {
    kept.emplace_back(std::to_string(i) + std::string(i % 100, 'x'));
    pages.insert(reinterpret_cast<std::uintptr_t>(kept.back().view().data()) / k_page);
  }
  for (std::size_t i = 0; i < kept.size(); ++i) {
    EXPECT_EQ(kept[i].view(), std::to_string(i) + std::string(i % 100, 'x'));
  }
  EXPECT_LT(pages.size(), 40U);
}

TEST(LockedBytes, are_taken_again_when_they_were_given_back) {
  std::set<const char*> places;
  for (int i = 0; i < 10'000; ++i) {
    const LockedBytes bytes(std::string(200, 'x'));
    places.insert(bytes.view().data());
  }
  EXPECT_EQ(places.size(), 1U);
}

TEST(LockedBytes, may_be_used_by_several_threads) {
  std::vector<std::thread> threads;
  for (char letter = 'a'; letter < 'e'; ++letter) {
    threads.emplace_back([letter] {
      std::vector<LockedBytes> kept;
      for (std::size_t i = 1; i < 300; ++i) {
        kept.emplace_back(std::string(i, letter));
        const LockedBytes gone(std::string(i, letter));
        EXPECT_EQ(kept[i / 2].view(), std::string(i / 2 + 1, letter));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

TEST(LockedBytesDeathTest, are_bytes_all_the_same_where_none_may_be_locked) {
  const auto use = [] {
    const rlimit none{};
    const bool is_limited = ::setrlimit(RLIMIT_MEMLOCK, &none) == 0;
    constexpr uid_t k_nobody = 65534;  // root may lock what it wants
    const bool is_nobody = ::geteuid() != 0 || ::setuid(k_nobody) == 0;
    const LockedBytes shared("few");
    const LockedBytes own(std::string(100'000, 'x'));  // in pages that are locked now or never
    const bool is_there = shared.view() == "few" && own.view() == std::string(100'000, 'x');
    const bool is_locked = has(flags_of(own.view().data()), "lo");
    std::_Exit(is_limited && is_nobody && is_there && !is_locked ? 0 : 1);
  };
  EXPECT_EXIT(use(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace freshet
