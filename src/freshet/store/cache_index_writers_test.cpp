// SPDX-License-Identifier: Apache-2.0
#include "freshet/store/cache_index.hpp"
#include "freshet/store/testing/memory_cache_index.hpp"
#include "freshet/store/testing/parallel.hpp"
#include "freshet/store/testing/past_images.hpp"
#include "freshet/store/testing/temp_data_directory.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <set>

namespace freshet::store {
namespace {

using model::PastImage;
using testing::key_of;
using testing::MemoryCacheIndex;
using testing::past_image;
using testing::TempDataDirectory;

constexpr int k_writers = 6;
constexpr int k_images = 15;  // of each writer
constexpr std::uint8_t k_keys = 100;

/// What writer `writer` leaves as its image `number`: results that all have, that some have, and
/// one of its own.
PastImage image_of(int writer, int number) {
  const int own = 10 + writer * k_images + number;
  return past_image(
      fmt::format("w{}n{}", writer, number),
      {0, static_cast<std::uint8_t>(1 + number % 9), static_cast<std::uint8_t>(own)});
}

/// Which images offer which key.
std::map<int, std::set<std::string>> holders_in(CacheIndex& index) {
  std::map<int, std::set<std::string>> out;
  index.read({"linux/amd64", "", "team/app", "main"}, [&](CacheView& view) {
    std::vector<model::InstructionKey> keys;
    for (std::uint8_t key = 0; key < k_keys; ++key) {
      keys.push_back(key_of(key));
    }
    view.find_keys(keys);
    for (std::size_t key = 0; key < keys.size(); ++key) {
      for (const auto number :
           view.list_holders(key, std::numeric_limits<ImageNumber>::max(), 1000)) {
        out[static_cast<int>(key)].insert(view.load_image(number).id);
      }
    }
  });
  return out;
}

TEST(CacheIndexWriters, in_several_processes_lose_nothing_of_each_other) {
  TempDataDirectory directory;
  MemoryCacheIndex expected;
  for (int number = 0; number < k_images; ++number) {
    directory->cache_index().record(past_image(fmt::format("old{}", number), {0, 1, 2}));
  }
  const int succeeded = testing::in_processes(k_writers + 1, [&](int writer) {
    const auto data = DataDirectory::open(directory.directory());
    for (int number = 0; number < k_images; ++number) {
      if (writer == k_writers) {
        data->cache_index().forget(fmt::format("old{}", number));
      } else {
        data->cache_index().record(image_of(writer, number));
      }
    }
  });
  EXPECT_EQ(succeeded, k_writers + 1);
  for (int writer = 0; writer < k_writers; ++writer) {
    for (int number = 0; number < k_images; ++number) {
      expected.record(image_of(writer, number));
    }
  }
  EXPECT_EQ(holders_in(directory->cache_index()), holders_in(expected));
}

TEST(CacheIndexWriters, that_record_parts_of_one_image_at_once_add_up) {
  TempDataDirectory directory;
  const auto outcome =
      testing::in_parallel(20, directory.directory(), [](int number, DataDirectory& data) {
        auto part = past_image("one", {static_cast<std::uint8_t>(number)});
        part.copies[0].registry = fmt::format("r{}.example", number);
        data.cache_index().record(part);
      });
  EXPECT_EQ(outcome.failures, 0) << outcome.text;
  const auto holders = holders_in(directory->cache_index());
  EXPECT_EQ(holders.size(), 20u);
  directory->cache_index().read({"linux/amd64", "", "team/app", "main"}, [](CacheView& view) {
    const auto images = view.list_of_branch(10);
    ASSERT_EQ(images.size(), 1u);
    EXPECT_EQ(view.load_image(images[0]).copies.size(), 20u);
  });
}

}  // namespace
}  // namespace freshet::store
