// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/inline_cache.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace freshet::cache {
namespace {

using Layers = std::set<std::string>;

std::string diff_id(char digit) {
  return "sha256:" + std::string(64, digit);
}

/// Of an image with the layers a, b and c; `more` follows.
std::string config_and(const std::string& more) {
  return fmt::format(
      R"({{"rootfs":{{"type":"layers","diff_ids":["{}","{}","{}"]}}{}}})",
      diff_id('a'),
      diff_id('b'),
      diff_id('c'),
      more);
}

std::string config_with(const std::string& records) {
  return config_and(fmt::format(R"(,"moby.buildkit.cache.v0":"{}")", to_base64(records)));
}

TEST(InlineCache, lists_the_layers_that_its_records_have) {
  EXPECT_EQ(
      find_inline_layers(config_with(
          R"([{"layers":[{"layer":2,"createdAt":"2026-01-01T00:00:00Z"}],"digest":"sha256:1"},)"
          R"({"digest":"sha256:2","inputs":[[{"link":0}]]}])")),
      (Layers{diff_id('c')}));
  EXPECT_EQ(
      find_inline_layers(config_with(R"([{"chains":[{"layers":[0,1]}],"digest":"sha256:1"}])")),
      (Layers{diff_id('b')}));
  EXPECT_EQ(find_inline_layers(config_with("[]")), Layers{});
}

TEST(InlineCache, passes_over_what_it_does_not_understand) {
  for (const char* records :
       {R"([1,"x",null])",
        R"([{"layers":{}}])",
        R"([{"layers":[1,{"layer":"1"},{"layer":-1},{"layer":3},{"layer":9e9}]}])",
        R"([{"chains":[{"layers":[]},{"layers":["x"]},7]}])"}) {
    EXPECT_EQ(find_inline_layers(config_with(records)), Layers{}) << records;
  }
}

TEST(InlineCache, is_none_where_nothing_can_be_read) {
  EXPECT_EQ(find_inline_layers(config_and("")), std::nullopt);
  EXPECT_EQ(find_inline_layers(config_with("{}")), std::nullopt);
  EXPECT_EQ(find_inline_layers(config_with("[")), std::nullopt);
  EXPECT_EQ(
      find_inline_layers(config_and(R"(,"moby.buildkit.cache.v0":"not base64!")")), std::nullopt);
  EXPECT_EQ(find_inline_layers(config_and(R"(,"moby.buildkit.cache.v0":7)")), std::nullopt);
  EXPECT_THROW(find_inline_layers("{}"), Error);
}

model::PastInstruction instruction(std::string diff_id) {
  model::PastInstruction out;
  out.diff_id = std::move(diff_id);
  return out;
}

TEST(InlineCache, leaves_offered_what_it_has_and_what_is_not_known) {
  std::vector<model::PastInstruction> known{
      instruction(diff_id('a')), instruction(diff_id('b')), instruction("")};
  restrict_offers(known, config_with(R"([{"layers":[{"layer":1}]}])"));
  EXPECT_FALSE(known[0].is_offered);
  EXPECT_TRUE(known[1].is_offered);
  EXPECT_TRUE(known[2].is_offered);

  restrict_offers(known, config_and(""));
  EXPECT_FALSE(known[1].is_offered);
  EXPECT_FALSE(known[2].is_offered);
}

}  // namespace
}  // namespace freshet::cache
