// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/cache_sources.hpp"

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

constexpr const char* k_inline_cache = R"(,"moby.buildkit.cache.v0":"W10=")";

TEST(CacheSources, are_images_that_have_the_layers_that_are_recorded_of_them) {
  EXPECT_EQ(why_no_cache(config(k_inline_cache), {}), "");
  EXPECT_EQ(why_no_cache(config(k_inline_cache), {diff_id('b')}), "");
  EXPECT_EQ(
      why_no_cache(config(k_inline_cache), {diff_id('b'), diff_id('c')}),
      "it lacks the layer sha256:cccccccccccc that is recorded of it");
}

TEST(CacheSources, are_images_that_tell_builders_of_their_layers) {
  EXPECT_EQ(why_no_cache(config(""), {}), "it tells builders nothing of its layers");
  EXPECT_EQ(
      why_no_cache(config(R"(,"author":"\"moby.buildkit.cache.v0\"")"), {}),
      "it tells builders nothing of its layers");
}

TEST(CacheSources, are_no_images_whose_configuration_is_damaged) {
  EXPECT_THROW(why_no_cache("", {}), Error);
  EXPECT_THROW(why_no_cache("[]", {}), Error);
}

}  // namespace
}  // namespace freshet::pipeline
