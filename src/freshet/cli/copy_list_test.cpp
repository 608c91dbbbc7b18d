// SPDX-License-Identifier: Apache-2.0
#include "freshet/cli/copy_list.hpp"

#include "freshet/base/error_text.hpp"

#include <gtest/gtest.h>

namespace freshet::cli {
namespace {

std::string failure(std::string_view text) {
  try {
    parse_copy_list(text, "images.txt");
  } catch (const Error& error) {
    return to_terminal(error);
  }
  return "nothing was thrown";
}

TEST(CopyList, has_a_copy_on_each_line) {
  const auto copies = parse_copy_list(
      "# base images\n\nr.example/a:1 s.example/a\r\n\t r.example/b@sha256:ab   s.example/b:2 # b\n"
      "r.example/c#1 s.example/c",
      "images.txt");
  ASSERT_EQ(copies.size(), 3U);
  EXPECT_EQ(copies[0].source, "r.example/a:1");
  EXPECT_EQ(copies[0].target, "s.example/a");
  EXPECT_EQ(to_string(copies[0].at), "images.txt:3:1");
  EXPECT_EQ(copies[1].source, "r.example/b@sha256:ab");
  EXPECT_EQ(copies[1].target, "s.example/b:2");
  EXPECT_EQ(copies[2].source, "r.example/c#1");
  EXPECT_EQ(to_string(copies[2].at), "images.txt:5:1");
}

TEST(CopyList, names_the_line_that_is_no_copy) {
  EXPECT_EQ(
      failure("a b\nonly-one\n"),
      "error: 'only-one' is not a copy\n"
      "  at images.txt:2:1\n"
      "hint: write the image and where it goes: SRC DST\n");
  EXPECT_EQ(
      failure("a b c\n"),
      "error: 'a b c' is not a copy\n"
      "  at images.txt:1:1\n"
      "hint: write the image and where it goes: SRC DST\n");
}

TEST(CopyList, is_not_empty) {
  for (const std::string_view text : {"", "\n\n", "# nothing\n"}) {
    EXPECT_EQ(
        failure(text),
        "error: 'images.txt' has no copy in it\nhint: write one on each line: SRC DST\n");
  }
}

}  // namespace
}  // namespace freshet::cli
