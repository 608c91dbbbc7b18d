// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/expressions/exports.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::pipeline {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ParseExports, the_first_equals_sign_separates) {
  const Exports exports = parse_exports("A=1\nURL=a=b=c\n\nEMPTY=\r\n  \nlast= x ");
  EXPECT_THAT(
      exports.variables,
      ElementsAre(
          NamedValue("A", "1"),
          NamedValue("URL", "a=b=c"),
          NamedValue("EMPTY", ""),
          NamedValue("last", " x ")));
  EXPECT_THAT(exports.rejected, IsEmpty());
}

TEST(ParseExports, a_value_over_several_lines_keeps_its_first) {
  const Exports exports = parse_exports("TEXT=one\ntwo\nNEXT=1\n");
  EXPECT_THAT(exports.variables, ElementsAre(NamedValue("TEXT", "one"), NamedValue("NEXT", "1")));
  EXPECT_THAT(exports.rejected, ElementsAre("two"));
}

TEST(ParseExports, rejected_lines_do_not_show_their_value) {
  const Exports exports = parse_exports(std::string("MY TOKEN=hunter2\n=hunter2\nA=x\0y\n", 32));
  EXPECT_THAT(exports.variables, IsEmpty());
  EXPECT_THAT(exports.rejected, ElementsAre("MY TOKEN", "", "A"));
}

TEST(ParseExports, the_link_of_a_step_may_have_dashes_in_its_name) {
  const Exports exports = parse_exports("my-step_CF_OUTPUT_URL=https://x.example/?a=1\n");
  EXPECT_THAT(
      exports.variables,
      ElementsAre(NamedValue("my-step_CF_OUTPUT_URL", "https://x.example/?a=1")));
}

}  // namespace
}  // namespace freshet::pipeline
