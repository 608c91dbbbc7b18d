// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/expressions/interpolation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace freshet::pipeline {
namespace {

std::optional<std::string> find_in_table(std::string_view name) {
  static const std::map<std::string, std::string, std::less<>> table = {
      {"A", "alpha"},
      {"B", "beta"},
      {"EMPTY", ""},
      {"NESTED", "${{A}}"},
      {"}", "brace"},
  };
  const auto found = table.find(name);
  return found == table.end() ? std::nullopt : std::optional(found->second);
}

TEST(Interpolate, replaces_known_variables_and_leaves_the_rest_alone) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", ""},
      {"plain", "plain"},
      {"${{A}}", "alpha"},
      {"${{A}}-${{B}}", "alpha-beta"},
      {"x${{A}}y", "xalphay"},
      {"${{ A\t}}", "alpha"},
      {"${{EMPTY}}|", "|"},
      {"${{NOPE}}", "${{NOPE}}"},
      {"${{ NOPE }}", "${{ NOPE }}"},
      {"${{a}}", "${{a}}"},  // case counts
      {"$A ${A} {{A}}", "$A ${A} {{A}}"},  // the shell's and Helm's
      {"${{}}", "${{}}"},
      {"${{}}}", "brace"},
      {"${{A", "${{A"},
      {"${{A}", "${{A}"},
      {"${{\n${{A}}", "${{\nalpha"},  // a name does not span lines
      {"${{NOPE}}${{A}}", "${{NOPE}}alpha"},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(interpolate(text, find_in_table), expected) << text;
  }
}

TEST(Interpolate, does_not_expand_what_a_value_holds) {
  EXPECT_EQ(interpolate("${{NESTED}}", find_in_table), "${{A}}");
}

TEST(FindVariables, tells_names_and_places) {
  EXPECT_THAT(
      find_variables("a ${{ X }}${{steps.b.imageId}}"),
      testing::ElementsAre(VariableUse{"X", 2, 8}, VariableUse{"steps.b.imageId", 10, 20}));
}

TEST(SoleVariable, is_there_only_when_nothing_else_is) {
  EXPECT_EQ(sole_variable("${{build}}"), "build");
  EXPECT_EQ(sole_variable(" ${{ build }} "), "build");
  EXPECT_EQ(sole_variable("${{build}}:x"), std::nullopt);
  EXPECT_EQ(sole_variable("${{a}}${{b}}"), std::nullopt);
  EXPECT_EQ(sole_variable("alpine"), std::nullopt);
}

TEST(FirstOf, asks_in_order) {
  const Lookup fallback = [](std::string_view) { return std::optional<std::string>("other"); };
  const Lookup both = first_of({find_in_table, fallback});
  EXPECT_EQ(both("A"), "alpha");
  EXPECT_EQ(both("NOPE"), "other");
  EXPECT_EQ(first_of({})("A"), std::nullopt);
}

}  // namespace
}  // namespace freshet::pipeline
