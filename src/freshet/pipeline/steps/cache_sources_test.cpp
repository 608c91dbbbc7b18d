// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/cache_sources.hpp"

#include "freshet/base/text.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace freshet::pipeline {
namespace {

std::string diff_id(char digit) {
  return "sha256:" + std::string(64, digit);
}

std::string config(const std::string& more) {
  return fmt::format(
      R"({{"rootfs":{{"type":"layers","diff_ids":["{}","{}"]}}{}}})",
      diff_id('a'),
      diff_id('b'),
      more);
}

/// What tells builders of the second layer.
std::string inline_cache() {
  return fmt::format(
      R"(,"moby.buildkit.cache.v0":"{}")", to_base64(R"([{"layers":[{"layer":1}]}])"));
}

TEST(CacheSources, are_images_that_have_the_layers_that_are_recorded_of_them) {
  EXPECT_EQ(why_no_cache(config(inline_cache()), {}), "");
  EXPECT_EQ(why_no_cache(config(inline_cache()), {{diff_id('a'), diff_id('b')}, {}}), "");
  EXPECT_EQ(
      why_no_cache(config(inline_cache()), {{diff_id('b'), diff_id('c')}, {}}),
      "it lacks the layer sha256:cccccccccccc that is recorded of it");
}

TEST(CacheSources, are_images_that_tell_builders_of_a_layer_that_is_wanted) {
  const std::string nothing = "it tells builders nothing of the layers that are wanted";
  const std::vector<std::string> all{diff_id('a'), diff_id('b')};
  EXPECT_EQ(why_no_cache(config(inline_cache()), {all, {diff_id('a'), diff_id('b')}}), "");
  EXPECT_EQ(why_no_cache(config(inline_cache()), {all, {diff_id('a')}}), nothing);
  EXPECT_EQ(why_no_cache(config(""), {}), nothing);
}

TEST(CacheSources, are_no_images_whose_configuration_is_damaged) {
  EXPECT_THROW(why_no_cache("", {}), Error);
  EXPECT_THROW(why_no_cache("[]", {}), Error);
}

}  // namespace
}  // namespace freshet::pipeline
