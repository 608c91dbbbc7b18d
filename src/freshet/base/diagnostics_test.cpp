// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/diagnostics.hpp"

#include <gtest/gtest.h>

namespace freshet {
namespace {

std::string rendered(SourcePosition at, std::string_view source) {
  Diagnostics diagnostics;
  diagnostics.error(std::move(at), "bad");
  return render(diagnostics, source);
}

SourcePosition at(int line, int column) {
  return {.file = "f.yml", .line = line, .column = column};
}

TEST(Diagnostics, puts_a_caret_below_the_column) {
  EXPECT_EQ(
      rendered(at(2, 3), "steps:\n  a: b\n"),
      "f.yml:2:3: error: bad\n"
      "      a: b\n"
      "      ^\n");
}

TEST(Diagnostics, keeps_tabs_in_front_of_the_caret) {
  EXPECT_EQ(
      rendered(at(1, 4), "\ta\tb"),
      "f.yml:1:4: error: bad\n"
      "    \ta\tb\n"
      "    \t \t^\n");
}

TEST(Diagnostics, counts_a_character_of_several_bytes_as_one) {
  EXPECT_EQ(
      rendered(at(1, 6), "üü: x"),
      "f.yml:1:6: error: bad\n"
      "    üü: x\n"
      "       ^\n");
}

TEST(Diagnostics, shows_the_beginning_of_a_long_line) {
  EXPECT_EQ(
      rendered(at(1, 1), std::string(200, 'a')),
      "f.yml:1:1: error: bad\n"
      "    " +
          std::string(160, 'a') +
          "...\n"
          "    ^\n");
}

TEST(Diagnostics, shows_a_long_line_around_a_late_column) {
  const std::string line = std::string(300, 'a') + "X" + std::string(300, 'b');
  EXPECT_EQ(
      rendered(at(1, 301), line),
      "f.yml:1:301: error: bad\n"
      "    ..." +
          std::string(40, 'a') + "X" + std::string(119, 'b') +
          "...\n"
          "    " +
          std::string(43, ' ') + "^\n");
}

TEST(Diagnostics, cuts_a_long_line_between_characters) {
  std::string line = "a";
  for (int i = 0; i < 200; ++i) {
    line += "ü";  // two bytes, from odd places on
  }
  EXPECT_EQ(
      rendered(at(1, 1), line),
      "f.yml:1:1: error: bad\n"
      "    " +
          line.substr(0, 159) +
          "...\n"
          "    ^\n");
  const std::string late = rendered(at(1, 202), line);  // byte 161 is inside no character's middle
  EXPECT_EQ(late.substr(late.find("..."), 5), "...ü");
}

TEST(Diagnostics, shows_no_control_characters_of_the_file) {
  EXPECT_EQ(
      rendered(at(1, 1), "a\x1b[31m\x7f\r\nb"),
      "f.yml:1:1: error: bad\n"
      "    a?[31m?\n"
      "    ^\n");
}

TEST(Diagnostics, stays_within_the_text) {
  EXPECT_EQ(rendered(at(1, 99), "ab"), "f.yml:1:99: error: bad\n    ab\n      ^\n");
  EXPECT_EQ(rendered(at(9, 1), "ab"), "f.yml:9:1: error: bad\n");
  EXPECT_EQ(rendered(at(1, 0), "ab"), "f.yml:1: error: bad\n    ab\n    ^\n");
  EXPECT_EQ(rendered({}, "ab"), "error: bad\n");
  EXPECT_EQ(rendered({.file = "f.yml"}, "ab"), "f.yml: error: bad\n");
}

TEST(Diagnostics, come_in_the_order_of_their_positions) {
  Diagnostics diagnostics;
  diagnostics.error(at(2, 1), "third", "mend it");
  diagnostics.warning(at(1, 5), "second");
  diagnostics.error(at(2, 1), "fourth");
  diagnostics.error({}, "first");
  EXPECT_EQ(
      render(diagnostics, "hello\nworld"),
      "error: first\n"
      "f.yml:1:5: warning: second\n"
      "    hello\n"
      "        ^\n"
      "f.yml:2:1: error: third\n"
      "    world\n"
      "    ^\n"
      "    hint: mend it\n"
      "f.yml:2:1: error: fourth\n"
      "    world\n"
      "    ^\n");
}

TEST(Diagnostics, know_errors_from_warnings) {
  Diagnostics diagnostics;
  EXPECT_TRUE(diagnostics.is_empty());
  diagnostics.warning(at(1, 1), "w");
  EXPECT_FALSE(diagnostics.is_empty());
  EXPECT_FALSE(diagnostics.has_errors());
  diagnostics.error(at(1, 1), "e");
  EXPECT_TRUE(diagnostics.has_errors());
}

}  // namespace
}  // namespace freshet
