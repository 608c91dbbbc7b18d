// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/ignore_file.hpp"

#include <gmock/gmock.h>

namespace freshet::cache {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(IgnoreFile, is_a_pattern_a_line_without_blanks_around_it) {
  EXPECT_THAT(
      parse_ignore_file("*.log\r\n  build/ \n! keep.log\n\n\t\nlast"),
      ElementsAre("*.log", "build/", "! keep.log", "last"));
}

TEST(IgnoreFile, has_comments_that_start_in_the_first_column_only) {
  EXPECT_THAT(parse_ignore_file("# words\n  # a name\n"), ElementsAre("# a name"));
}

TEST(IgnoreFile, may_start_with_a_byte_order_mark) {
  EXPECT_THAT(parse_ignore_file("\xEF\xBB\xBF# words\nx"), ElementsAre("x"));
}

TEST(IgnoreFile, may_be_empty) {
  EXPECT_THAT(parse_ignore_file(""), IsEmpty());
}

}  // namespace
}  // namespace freshet::cache
