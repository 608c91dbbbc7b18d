// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/checks/build_push.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace freshet::pipeline {
namespace {

constexpr auto k_modes = {
    model::PushMode::automatic, model::PushMode::explicit_only, model::PushMode::never};

TEST(BuildPush, goes_where_the_step_says_in_every_mode) {
  for (const auto mode : k_modes) {
    for (const bool has_default : {true, false}) {
      const auto decide = [&](bool names_registry, std::optional<bool> disable_push) {
        return decide_build_push({names_registry, disable_push}, mode, has_default);
      };
      EXPECT_EQ(decide(true, std::nullopt), BuildPush::to_named);
      EXPECT_EQ(decide(true, false), BuildPush::to_named);
      EXPECT_EQ(decide(true, true), BuildPush::disabled);
      EXPECT_EQ(decide(false, true), BuildPush::disabled);
    }
  }
}

TEST(BuildPush, follows_the_mode_where_the_step_names_no_registry) {
  struct Row {
    model::PushMode mode;
    std::optional<bool> disable_push;
    bool has_default;
    BuildPush expected;
  };
  using enum model::PushMode;
  const std::vector<Row> rows{
      {automatic, std::nullopt, true, BuildPush::to_default},
      {automatic, std::nullopt, false, BuildPush::no_default},
      {automatic, false, true, BuildPush::to_default},
      {automatic, false, false, BuildPush::no_default},
      {explicit_only, std::nullopt, true, BuildPush::refused},
      {explicit_only, std::nullopt, false, BuildPush::refused},
      {explicit_only, false, true, BuildPush::refused},
      {explicit_only, false, false, BuildPush::refused},
      {never, std::nullopt, true, BuildPush::kept},
      {never, std::nullopt, false, BuildPush::kept},
      {never, false, true, BuildPush::to_default},
      {never, false, false, BuildPush::no_default},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(decide_build_push({false, row.disable_push}, row.mode, row.has_default), row.expected)
        << "row " << &row - rows.data();
  }
}

}  // namespace
}  // namespace freshet::pipeline
