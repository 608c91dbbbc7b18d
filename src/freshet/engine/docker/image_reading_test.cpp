// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/image_reading.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;

constexpr std::uint64_t k_mb = 1'000'000;

std::vector<ImageHistoryEntry> history(const std::vector<std::uint64_t>& sizes) {
  std::vector<ImageHistoryEntry> entries;
  for (const std::uint64_t size : sizes) {
    entries.push_back({"RUN something", size});
  }
  return entries;
}

TEST(LayerSizeLimits, are_the_sizes_when_each_layer_holds_something) {
  EXPECT_THAT(layer_size_limits(history({5, 0, 7, 0, 9}), 3), Optional(ElementsAre(5, 7, 9)));
}

TEST(LayerSizeLimits, are_the_neighbours_where_an_empty_layer_may_be_anywhere) {
  EXPECT_THAT(layer_size_limits(history({5, 0, 7}), 3), Optional(ElementsAre(5, 7, 7)));
  EXPECT_THAT(layer_size_limits(history({9, 0, 0, 1}), 3), Optional(ElementsAre(9, 9, 1)));
  EXPECT_THAT(layer_size_limits(history({0, 0}), 2), Optional(ElementsAre(0, 0)));
}

TEST(LayerSizeLimits, are_unknown_when_the_history_is_of_another_number_of_layers) {
  EXPECT_EQ(layer_size_limits(history({5, 7}), 1), std::nullopt);
  EXPECT_EQ(layer_size_limits(history({5}), 2), std::nullopt);
  EXPECT_EQ(layer_size_limits({}, 1), std::nullopt);
}

bool is_handover_cheaper(std::uint64_t wanted_bytes, std::uint64_t image_bytes) {
  const ReadingCost cost =
      estimate_reading({image_bytes - wanted_bytes, wanted_bytes}, image_bytes, {1});
  EXPECT_EQ(cost.wanted_bytes, wanted_bytes);
  EXPECT_EQ(cost.whole_bytes, image_bytes);
  return cost.by_handover < cost.by_export;
}

TEST(ReadingCost, speaks_for_the_export_of_small_images_and_of_large_parts) {
  EXPECT_TRUE(is_handover_cheaper(0, 750 * k_mb));
  EXPECT_TRUE(is_handover_cheaper(50 * k_mb, 750 * k_mb));
  EXPECT_FALSE(is_handover_cheaper(100 * k_mb, 750 * k_mb));
  EXPECT_FALSE(is_handover_cheaper(750 * k_mb, 750 * k_mb));
  EXPECT_FALSE(is_handover_cheaper(0, 5 * k_mb));
}

TEST(AreBegunAtOnce, tells_the_uppermost_layers_from_those_that_would_wait_for_others) {
  EXPECT_TRUE(are_begun_at_once(2, {0, 1}));
  EXPECT_TRUE(are_begun_at_once(9, {4, 8}));
  EXPECT_FALSE(are_begun_at_once(9, {3, 8}));
  EXPECT_FALSE(are_begun_at_once(9, {}));
}

}  // namespace
}  // namespace freshet::engine
