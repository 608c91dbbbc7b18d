// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/yaml/boolean.hpp"

#include <gtest/gtest.h>

namespace freshet::pipeline {
namespace {

TEST(ParseBoolean, knows_its_words_in_any_case) {
  for (const std::string_view text : {"true", "TRUE", "Yes", "on", "1"}) {
    EXPECT_EQ(parse_boolean(text), true) << text;
  }
  for (const std::string_view text : {"false", "False", "NO", "off", "0"}) {
    EXPECT_EQ(parse_boolean(text), false) << text;
  }
  for (const std::string_view text : {"", "maybe", " true", "y", "2", "${{X}}"}) {
    EXPECT_EQ(parse_boolean(text), std::nullopt) << text;
  }
}

TEST(ResolveBoolean, puts_the_variables_in_first) {
  const BoolValue value{false, Text{"${{X}}", {"p.yml", 3, 7}}};
  EXPECT_TRUE(resolve(value, "no_cache", [](std::string_view) { return "Yes"; }));
  EXPECT_FALSE(resolve(value, "no_cache", [](std::string_view) { return "0"; }));
  EXPECT_TRUE(resolve(BoolValue{true, std::nullopt}, "no_cache", nullptr));
}

TEST(ResolveBoolean, says_what_a_variable_became_and_where) {
  const BoolValue value{false, Text{"${{X}}", {"p.yml", 3, 7}}};
  try {
    resolve(value, "no_cache", [](std::string_view text) { return std::string(text); });
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_input);
    EXPECT_EQ(error.message(), "'no_cache' must be true or false, it became '${{X}}'");
    EXPECT_EQ(error.position(), (SourcePosition{"p.yml", 3, 7}));
  }
}

}  // namespace
}  // namespace freshet::pipeline
