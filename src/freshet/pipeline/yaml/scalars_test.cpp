// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/yaml/scalars.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace freshet::pipeline {
namespace {

TEST(ResolvePlainScalar, follows_the_core_schema) {
  struct Case {
    YamlKind kind;
    std::vector<std::string> texts;
  };
  const std::vector<Case> cases = {
      {YamlKind::null, {"", "~", "null", "Null", "NULL"}},
      {YamlKind::boolean, {"true", "True", "TRUE", "false", "False", "FALSE"}},
      {YamlKind::number,
       {"0",
        "1",
        "-1",
        "+1",
        "007",
        "1_000",
        "0x1F",
        "0o17",
        "0b101",
        "1.0",
        "1.",
        ".5",
        "1e3",
        "1.5E-3",
        ".inf",
        "-.INF",
        ".NaN",
        "0x1_F"}},
      {YamlKind::timestamp,
       {"2020-01-31", "2020-1-3 1:02:03", "2020-01-31T12:00:00Z", "2020-01-31t12:00:00.5 +01:00"}},
      {YamlKind::string,
       {"yes",
        "on",
        "nULL",
        "tRUE",
        "1.0.0",
        "1_",
        "_1",
        "0x",
        "0xG",
        "0o8",
        "0b2",
        "-",
        "+",
        ".",
        "e3",
        "1e",
        "1.5e+",
        "+.5",
        ".inF",
        "2020-01-1",
        "2020-01-31T",
        "12:30",
        "1,5",
        "--1",
        "v1.0",
        "${{X}}",
        "2020-01-31T12:00:00Zulu",
        "2020-01-31T12:00:00+1:2"}},
  };
  for (const Case& one : cases) {
    for (const std::string& text : one.texts) {
      EXPECT_EQ(resolve_plain_scalar(text), one.kind) << "'" << text << "'";
    }
  }
}

TEST(NumberValue, reads_every_spelling) {
  const std::vector<std::pair<std::string, double>> cases = {
      {"0", 0},
      {"-1", -1},
      {"+12", 12},
      {"007", 7},
      {"1_000", 1000},
      {"0x1F", 31},
      {"-0x10", -16},
      {"0o17", 15},
      {"0b101", 5},
      {"1.0", 1},
      {"1.", 1},
      {".5", 0.5},
      {"1.5E-3", .0015},
      {"0xff", 255},
  };
  for (const auto& [text, value] : cases) {
    EXPECT_EQ(number_value(text), value) << text;
  }
  EXPECT_EQ(number_value("-.inf"), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(number_value("1e999"), std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(number_value(".NaN").value()));
  EXPECT_EQ(number_value("one"), std::nullopt);
  EXPECT_EQ(number_value(""), std::nullopt);
  EXPECT_EQ(number_value("1.0.0"), std::nullopt);
}

}  // namespace
}  // namespace freshet::pipeline
