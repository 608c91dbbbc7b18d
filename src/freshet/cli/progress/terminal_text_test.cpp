// SPDX-License-Identifier: Apache-2.0
#include "freshet/cli/progress/terminal_text.hpp"

#include <gtest/gtest.h>

namespace freshet::cli {
namespace {

TEST(TerminalSafe, takes_out_everything_that_could_command_the_terminal) {
  EXPECT_EQ(terminal_safe("a\x1B[2Jb\x1B[10;5Hc", false), "abc");
  EXPECT_EQ(terminal_safe("a\x1B]0;title\ab\x1B]52;c;aGk=\x1B\\c", true), "abc");
  EXPECT_EQ(
      terminal_safe(
          "a\x1BPq#0\x1B\\b\x1B"
          "cd",
          true),
      "abd");
  EXPECT_EQ(terminal_safe("bell\a back\b nul\x7F", false), "bell back nul");
  EXPECT_EQ(
      terminal_safe(
          "c1 \xC2\x9B"
          "2J",
          false),
      "c1 2J");
  EXPECT_EQ(terminal_safe("cut \x1B[31", true), "cut ");
}

TEST(TerminalSafe, keeps_colours_only_when_asked) {
  EXPECT_EQ(terminal_safe("\x1B[1;31mred\x1B[0m", true), "\x1B[1;31mred\x1B[0m");
  EXPECT_EQ(terminal_safe("\x1B[1;31mred\x1B[0m", false), "red");
}

TEST(TerminalSafe, shows_the_last_state_of_a_line_that_redraws_itself) {
  EXPECT_EQ(terminal_safe("10%\r50%\r100%", false), "100%");
  EXPECT_EQ(terminal_safe("done\r", false), "done");
}

TEST(Fit, cuts_by_code_points) {
  EXPECT_EQ(fit("kürzer", 6), "kürzer");
  EXPECT_EQ(fit("kürzer", 4), "kür…");
  EXPECT_EQ(width_of("äöü"), 3U);
}

TEST(Fit, may_cut_the_middle_out) {
  EXPECT_EQ(fit_middle("kürzer", 6), "kürzer");
  EXPECT_EQ(fit_middle("kürzer", 5), "kü…er");
  EXPECT_EQ(fit_middle("kürzer", 4), "kü…r");
  EXPECT_EQ(fit_middle("kürzer", 1), "…");
  EXPECT_EQ(fit_middle("kürzer", 0), "…");
}

}  // namespace
}  // namespace freshet::cli
