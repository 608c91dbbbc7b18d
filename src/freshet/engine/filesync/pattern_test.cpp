// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/filesync/pattern.hpp"

#include "freshet/base/error.hpp"

#include <gtest/gtest.h>

namespace freshet::engine {
namespace {

struct Case {
  const char* pattern;
  const char* path;
  bool matches;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << '\'' << c.pattern << "' on '" << c.path << '\'';
}

class PatternTable : public testing::TestWithParam<Case> {};

TEST_P(PatternTable, matches_as_documented) {
  EXPECT_EQ(Pattern::parse(GetParam().pattern).matches(GetParam().path), GetParam().matches);
}

INSTANTIATE_TEST_SUITE_P(
    literals,
    PatternTable,
    testing::Values(
        Case{"a", "a", true},
        Case{"a", "ab", false},
        Case{"ab", "a", false},
        Case{"a/b", "a/b", true},
        Case{"a/b", "a", false},
        Case{"/a/b/", "a/b", true},
        Case{"./a//b/.", "a/b", true},
        Case{"a/../b", "b", true},
        Case{"../../b", "b", true},
        Case{"a.b", "axb", false},
        Case{"a+(b)|{c}^$", "a+(b)|{c}^$", true},
        Case{"größe", "größe", true}));

INSTANTIATE_TEST_SUITE_P(
    wildcards_within_a_directory,
    PatternTable,
    testing::Values(
        Case{"*", "a", true},
        Case{"*", ".hidden", true},
        Case{"*", "a/b", false},
        Case{"*.txt", "a.txt", true},
        Case{"*.txt", ".txt", true},
        Case{"*.txt", "d/a.txt", false},
        Case{"a*b*c", "aXbbYc", true},
        Case{"a*b*c", "aXbbY", false},
        Case{"*/b", "a/b", true},
        Case{"*/b", "b", false},
        Case{"a?c", "abc", true},
        Case{"a?c", "ac", false},
        Case{"a?c", "a/c", false},
        Case{"gr??e", "größe", true},  // one character, not one byte
        Case{"?", "\xff", true}));  // a byte that is no UTF-8 counts as one

INSTANTIATE_TEST_SUITE_P(
    wildcards_over_directories,
    PatternTable,
    testing::Values(
        Case{"**", "a", true},
        Case{"**", "a/b/c", true},
        Case{"**/c", "c", true},
        Case{"**/c", "a/b/c", true},
        Case{"**/c", "a/bc", false},
        Case{"a/**", "a/b/c", true},
        Case{"a/**", "a", false},
        Case{"a/**/c", "a/c", true},
        Case{"a/**/c", "a/b/b/c", true},
        Case{"a/**/c", "a/bc", false},
        Case{"a/**/c", "ac", false},
        Case{"**/*.o", "x.o", true},
        Case{"**/*.o", "a/b/x.o", true},
        Case{"**/*.o", "a/b/x.c", false},
        Case{"**/a/**/b", "x/a/b", true},
        Case{"**/a/**/b", "x/a/y/z/b", true},
        Case{"**/a/**/b", "a/x", false},
        Case{"a**b", "ab", true},
        Case{"a**b", "axx/b", true},
        Case{"a**b", "axxb", false},
        Case{"a*b**c", "abxbc", true}));  // the first run has to give back what it took

INSTANTIATE_TEST_SUITE_P(
    classes_and_escapes,
    PatternTable,
    testing::Values(
        Case{"[abc]x", "bx", true},
        Case{"[abc]x", "dx", false},
        Case{"[a-c]x", "bx", true},
        Case{"[a-c]x", "-x", false},
        Case{"[^a-c]x", "dx", true},
        Case{"[^a-c]x", "ax", false},
        Case{"a[^b]c", "a/c", false},
        Case{"[a\\-c]", "-", true},
        Case{"[a\\-c]", "b", false},
        Case{"[a\\]b]", "]", true},
        Case{"[ä-ü]", "ö", true},
        Case{"\\*", "*", true},
        Case{"\\*", "a", false},
        Case{"\\[a]", "[a]", true},
        Case{"a\\?", "a?", true},
        Case{"a\\b", "ab", true},
        Case{"\\\\", "\\", true},
        Case{"\\!a", "!a", true}));

TEST(Pattern, refuses_what_is_not_closed) {
  for (const char* text : {"[", "[a", "a[b-", "[^", "a\\", "[\\"}) {
    try {
      Pattern::parse(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_input);
      EXPECT_EQ(error.message(), "pattern '" + std::string(text) + "' is malformed");
    }
  }
}

TEST(Pattern, knows_whether_anything_below_a_directory_could_match) {
  struct Below {
    const char* pattern;
    const char* directory;
    bool possible;
  };
  for (const Below& c : {
           Below{"a/b", "a", true},
           Below{"a/b", "b", false},
           Below{"a/b", "a/b", false},
           Below{"a", "a", false},
           Below{"*/b", "x", true},
           Below{"*/b", "x/y", false},
           Below{"**/b", "x/y/z", true},
           Below{"a/**/b", "x", false},
           Below{"a/**", "a/x", true},
           Below{"[ab]/c", "b", true},
       }) {
    EXPECT_EQ(Pattern::parse(c.pattern).can_match_below(c.directory), c.possible)
        << c.pattern << " below " << c.directory;
  }
}

TEST(Pattern, stays_linear_where_a_backtracking_matcher_would_not) {
  std::string hostile;
  for (int i = 0; i < 200; ++i) {
    hostile += "*a**/";
  }
  EXPECT_FALSE(Pattern::parse(hostile + "b").matches(std::string(4000, 'a')));
}

TEST(Pattern, escapes_literal_text) {
  const std::string name = R"(a*b?[c]\d)";
  EXPECT_EQ(escape_pattern(name), R"(a\*b\?\[c\]\\d)");
  EXPECT_TRUE(Pattern::parse(escape_pattern(name)).matches(name));
}

TEST(Pattern, a_state_after_a_directory_can_be_resumed_for_each_of_its_entries) {
  const Pattern pattern = Pattern::parse("src/**/*.c");
  const Pattern::State in_directory = pattern.advance(pattern.advance(pattern.start(), "src"), "/");
  EXPECT_TRUE(pattern.accepts(pattern.advance(in_directory, "a.c")));
  EXPECT_FALSE(pattern.accepts(pattern.advance(in_directory, "a.h")));
}

}  // namespace
}  // namespace freshet::engine
