// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace freshet {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

TEST(Printable, makes_foreign_text_harmless) {
  EXPECT_EQ(printable("plain ü 漢 🚢", 100), "plain ü 漢 🚢");
  EXPECT_EQ(printable("a\nb\r\nc\td", 100), "a b  c d");
  EXPECT_EQ(printable("\x1b[31mred\x07\x7f", 100), "[31mred");
  EXPECT_EQ(
      printable(
          "a\xc2\x9b"
          "31mb",
          100),
      "a31mb")
      << "C1 control";
  EXPECT_EQ(printable(std::string("a\0b", 3), 100), "ab");
  EXPECT_EQ(printable("  a  ", 100), "a");
  EXPECT_EQ(printable("", 100), "");
}

TEST(Printable, replaces_what_is_no_utf8) {
  EXPECT_EQ(printable("a\xffz", 100), "a\uFFFDz");
  EXPECT_EQ(printable("\xc0\xaf", 100), "\uFFFD\uFFFD") << "overlong";
  EXPECT_EQ(printable("\xed\xa0\x80", 100), "\uFFFD\uFFFD\uFFFD") << "surrogate";
  EXPECT_EQ(printable("\xf4\x90\x80\x80", 100), "\uFFFD\uFFFD\uFFFD\uFFFD") << "above U+10FFFF";
  EXPECT_EQ(printable("a\xe6\xbc", 100), "a\uFFFD\uFFFD") << "cut off";
}

TEST(Printable, is_cut_between_characters) {
  EXPECT_EQ(printable("abcd", 4), "abcd");
  EXPECT_EQ(printable("abcde", 4), "abcd…");
  EXPECT_EQ(printable("aüü", 4), "aü…");
  EXPECT_EQ(printable("漢", 2), "…");
}

TEST(Trim, removes_blanks_at_both_ends) {
  EXPECT_EQ(trim(" \t\r\n a b \v\f"), "a b");
  EXPECT_EQ(trim("   "), "");
  EXPECT_EQ(trim(""), "");
}

TEST(ToLower, changes_ascii_only) {
  EXPECT_EQ(to_lower("AbZ Ü9"), "abz Ü9");
}

TEST(Split, gives_one_part_more_than_separators) {
  EXPECT_THAT(split("a,b,,c,", ','), ElementsAre("a", "b", "", "c", ""));
  EXPECT_THAT(split("", ','), ElementsAre(""));
}

TEST(Join, is_the_reverse_of_split) {
  EXPECT_EQ(join({"a", "", "c"}, ", "), "a, , c");
  EXPECT_EQ(join({}, ", "), "");
}

TEST(Nearest, finds_what_was_most_likely_meant) {
  const std::vector<std::string> known{
      "registry", "registry_context", "image_name", "title", "tag", "tags"};
  EXPECT_EQ(nearest("regist", known), "registry") << "the shortest that starts with it";
  EXPECT_EQ(nearest("registy", known), "registry");
  EXPECT_EQ(nearest("imagename", known), "image_name");
  EXPECT_EQ(nearest("tagz", known), "tag") << "of two at one distance the first";
  EXPECT_EQ(nearest("titel", known), "title");
  EXPECT_EQ(nearest("completely", known), std::nullopt);
  EXPECT_EQ(nearest("xyz", known), std::nullopt) << "nothing in common";
  EXPECT_EQ(nearest("", known), std::nullopt);
  EXPECT_EQ(nearest("x", {}), std::nullopt);
}

TEST(HumanSize, uses_decimal_units) {
  EXPECT_EQ(human_size(0), "0 B");
  EXPECT_EQ(human_size(999), "999 B");
  EXPECT_EQ(human_size(1000), "1.0 kB");
  EXPECT_EQ(human_size(99'949), "99.9 kB");
  EXPECT_EQ(human_size(99'960), "100 kB");
  EXPECT_EQ(human_size(312'400), "312 kB");
  EXPECT_EQ(human_size(999'499), "999 kB");
  EXPECT_EQ(human_size(999'500), "1.0 MB");
  EXPECT_EQ(human_size(1'400'000'000), "1.4 GB");
  EXPECT_EQ(human_size(5'000'000'000'000'000), "5000 TB");
}

TEST(HumanDuration, uses_the_two_largest_units) {
  EXPECT_EQ(human_duration(milliseconds(0)), "0.0s");
  EXPECT_EQ(human_duration(milliseconds(400)), "0.4s");
  EXPECT_EQ(human_duration(milliseconds(59'949)), "59.9s");
  EXPECT_EQ(human_duration(milliseconds(59'950)), "1m00s");
  EXPECT_EQ(human_duration(milliseconds(187'000)), "3m07s");
  EXPECT_EQ(human_duration(milliseconds(3'599'499)), "59m59s");
  EXPECT_EQ(human_duration(milliseconds(3'599'500)), "1h00m");
  EXPECT_EQ(human_duration(milliseconds(90'061'000)), "25h01m");
}

TEST(Hex, shows_every_byte) {
  EXPECT_EQ(to_hex(std::string("\0\x0f\xff", 3)), "000fff");
  EXPECT_EQ(to_hex(""), "");
}

TEST(Base64, follows_the_rfc) {
  EXPECT_EQ(to_base64(""), "");
  EXPECT_EQ(to_base64("f"), "Zg==");
  EXPECT_EQ(to_base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(to_base64("\xfb\xff\xbf"), "+/+/");
  EXPECT_EQ(to_base64_url("\xfb\xff\xbf"), "-_-_");
  EXPECT_EQ(to_base64_url("f"), "Zg==");
}

TEST(Base64, is_read_with_or_without_padding_in_both_alphabets) {
  EXPECT_EQ(from_base64("Zg=="), "f");
  EXPECT_EQ(from_base64("Zg"), "f");
  EXPECT_EQ(from_base64("Zm9v\r\nYmFy\n"), "foobar");
  EXPECT_EQ(from_base64("+/+/"), "\xfb\xff\xbf");
  EXPECT_EQ(from_base64("-_-_"), "\xfb\xff\xbf");
  EXPECT_EQ(from_base64(""), "");
}

TEST(Base64, refuses_what_is_none) {
  for (const char* text : {"Z", "Zm9v!", "Zg==Zg==", "Zg===", "====", "Zh", "Z g="}) {
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace freshet
