// SPDX-License-Identifier: Apache-2.0
#include "freshet/store/cache_encoding.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/testing/run.hpp"

#include <gtest/gtest.h>

#include <random>

namespace freshet::store {
namespace {

using freshet::testing::error_of;

TEST(EncodedResults, come_back_as_they_were) {
  std::mt19937_64 chance(1);
  for (int round = 0; round < 1000; ++round) {
    std::vector<HeldResult> results;
    long long number = 0;
    for (std::uint64_t left = chance() % 40; left > 0; --left) {
      number += 1 + static_cast<long long>(chance() % (1ULL << (chance() % 50)));
      results.push_back({number, chance() % 2 == 0});
    }
    EXPECT_EQ(decode_results(encode_results(results)), results);
  }
}

TEST(EncodedResults, take_a_byte_or_two_each_where_numbers_are_near) {
  EXPECT_EQ(encode_results({{63, true}, {64, false}, {127, true}, {191, true}}).size(), 5u);
}

TEST(EncodedResults, that_were_cut_are_refused) {
  const std::string bytes = encode_results({{1'000'000, true}});
  EXPECT_EQ(
      error_of([&] { decode_results(std::string_view(bytes).substr(0, bytes.size() - 1)); }),
      "corrupt_data\nerror: the index of past images is damaged\n");
  EXPECT_EQ(
      error_of([&] { decode_results(std::string(20, '\xFF')); }),
      "corrupt_data\nerror: the index of past images is damaged\n");
}

TEST(EncodedDiffIds, come_back_as_they_were) {
  const std::string text =
      "sha256:00ff1234567890abcdef1234567890abcdef1234567890abcdef1234567890ab";
  EXPECT_EQ(encode_diff_id(text).size(), 32u);
  EXPECT_EQ(decode_diff_id(encode_diff_id(text)), text);
  EXPECT_EQ(decode_diff_id(encode_diff_id("")), "");
}

TEST(EncodedDiffIds, are_sha256_digests) {
  EXPECT_EQ(
      error_of([] { encode_diff_id("sha256:12"); }),
      "invalid_input\nerror: 'sha256:12' is no SHA-256 digest of a layer\n");
  const std::string long_one = "sha512:" + std::string(128, 'a');
  EXPECT_THROW(encode_diff_id(long_one), Error);
}

}  // namespace
}  // namespace freshet::store
