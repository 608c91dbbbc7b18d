// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/expand.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace freshet::dockerfile {
namespace {

using ::testing::ElementsAre;

const std::map<std::string, std::string, std::less<>>& variables() {
  static const std::map<std::string, std::string, std::less<>> variables{
      {"x", "aab"},
      {"path", "/a/b/c.tar.gz"},
      {"blank", "a  b"},
      {"empty", ""},
      {"lines", "a1\na2"},
      {"star", "a*b"}};
  return variables;
}

const std::string* find_variable(std::string_view name) {
  const auto found = variables().find(name);
  return found == variables().end() ? nullptr : &found->second;
}

Expansion expanded(std::string_view word, const ExpandRules& rules = {}) {
  Budget budget;
  return expand(word, find_variable, rules, budget);
}

struct ExpandCase {
  std::string_view word;
  std::string_view expected;
};

class ExpandedWord : public ::testing::TestWithParam<ExpandCase> {};

TEST_P(ExpandedWord, is_expanded_as_buildkit_does_it) {
  EXPECT_EQ(expanded(GetParam().word).text, GetParam().expected) << GetParam().word;
}

INSTANTIATE_TEST_SUITE_P(
    Plain,
    ExpandedWord,
    ::testing::Values(
        ExpandCase{"", ""},
        ExpandCase{"$x", "aab"},
        ExpandCase{"${x}", "aab"},
        ExpandCase{"$x.y", "aab.y"},
        ExpandCase{"$x_", ""},
        ExpandCase{"a$nobody-", "a-"},
        ExpandCase{"\\$x", "$x"},
        ExpandCase{"a\\b\\\\", "ab\\"},
        ExpandCase{"a\\", "a"},
        ExpandCase{"$", "$"},
        ExpandCase{"a$ b", "a$ b"},
        ExpandCase{"$$x", "x"},
        ExpandCase{"$1x", "x"},
        ExpandCase{"$12x", "x"},
        ExpandCase{"$@a$#b", "ab"},
        ExpandCase{"'$x' \"$x\" '\"'", "$x aab \""},
        ExpandCase{"\"\\$x \\\" \\a\"", "$x \" \\a"},
        ExpandCase{"'a\\'", "a\\"},
        ExpandCase{"<<EOF", "<<EOF"},
        ExpandCase{
            "\xC3\xA9$x\xE2\x80\x93",
            "\xC3\xA9"
            "aab\xE2\x80\x93"}));

INSTANTIATE_TEST_SUITE_P(
    Default,
    ExpandedWord,
    ::testing::Values(
        ExpandCase{"${x:-w}", "aab"},
        ExpandCase{"${empty:-w}", "w"},
        ExpandCase{"${empty-w}", ""},
        ExpandCase{"${nobody:-w}", "w"},
        ExpandCase{"${nobody-w}", "w"},
        ExpandCase{"${x:+w}", "w"},
        ExpandCase{"${empty:+w}", ""},
        ExpandCase{"${empty+w}", "w"},
        ExpandCase{"${nobody+w}", ""},
        ExpandCase{"${x:?w}", "aab"},
        ExpandCase{"${empty?w}", ""},
        ExpandCase{"${nobody:-${empty:-${x}}}", "aab"},
        ExpandCase{"${nobody:-'$x'}", "$x"},
        ExpandCase{"${nobody:-\"a }\"}", "a }"},
        ExpandCase{"${nobody:-a\\}b}", "a}b"}));

INSTANTIATE_TEST_SUITE_P(
    Pattern,
    ExpandedWord,
    ::testing::Values(
        ExpandCase{"${path#*/}", "a/b/c.tar.gz"},
        ExpandCase{"${path##*/}", "c.tar.gz"},
        ExpandCase{"${path%.*}", "/a/b/c.tar"},
        ExpandCase{"${path%%.*}", "/a/b/c"},
        ExpandCase{"${x#?}", "ab"},
        ExpandCase{"${x#b}", "aab"},
        ExpandCase{"${x##*}", ""},
        ExpandCase{"${x#*}", "aab"},
        ExpandCase{"${nobody#a}", ""},
        ExpandCase{"${star#a\\*}", "b"},
        ExpandCase{"${star%\\**}", "a"},
        ExpandCase{"${x/a/-}", "-ab"},
        ExpandCase{"${x//a/-}", "--b"},
        ExpandCase{"${x//*/-}", "-"},
        ExpandCase{"${x///-}", "-a-a-b-"},
        ExpandCase{"${x/b/$x}", "aaaab"},
        ExpandCase{"${path//\\//_}", "_a_b_c.tar.gz"},
        ExpandCase{"${path/b*c/}", "/a/.tar.gz"},
        ExpandCase{"${lines#*2}", "a1\na2"},
        ExpandCase{"${lines//a*/x}", "x\nx"},
        ExpandCase{"${lines//?/x}", "xx\nxx"}));

struct MistakeCase {
  std::string_view word;
  std::string_view message;
};

class Mistake : public ::testing::TestWithParam<MistakeCase> {};

TEST_P(Mistake, is_told) {
  try {
    expanded(GetParam().word);
    ADD_FAILURE() << "nothing was wrong with " << GetParam().word;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_input);
    EXPECT_EQ(error.message(), GetParam().message);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Word,
    Mistake,
    ::testing::Values(
        MistakeCase{"a'b", "a single quote in 'a'b' is never closed"},
        MistakeCase{"a\"b", "a double quote in 'a\"b' is never closed"},
        MistakeCase{"${x", "'}' in '${x' is missing"},
        MistakeCase{"${", "'${' in '${' holds no name"},
        MistakeCase{"${}", "'${}' in '${}' holds no name"},
        MistakeCase{"${x:-a", "'}' in '${x:-a' is missing"},
        MistakeCase{"${x/a}", "'/' in '${x/a}' is missing"},
        MistakeCase{"${x!}", "'${x!' in '${x!}' is no known form"},
        MistakeCase{"${x:=y}", "'${x:=' in '${x:=y}' is no known form"},
        MistakeCase{"${x:%a}", "'${x:%' in '${x:%a}' is no known form"},
        MistakeCase{"${nobody:?}", "nobody: must be set"},
        MistakeCase{"${empty:?}", "empty: must not be empty"},
        MistakeCase{"${nobody?give it}", "nobody: give it"},
        MistakeCase{"${x#\\a}", "the pattern '\\a' has a backslash before something plain"}));

TEST(Words, are_cut_at_spaces_that_nothing_protects) {
  EXPECT_THAT(
      expanded("a 'b c' \"$blank\" $blank d\\ e  ''").words,
      ElementsAre("a", "b c", "a  b", "a", "b", "d e"));
}

TEST(Words, of_a_shell_keep_what_is_not_set) {
  const ExpandRules rules{.keeps_quotes = true, .keeps_escapes = true, .keeps_unset = true};
  EXPECT_EQ(
      expanded("$nobody ${nobody:-x} '$x' \"\\$x\" \\<", rules).text,
      "$nobody ${nobody:-x} '$x' \"\\$x\" \\<");
}

TEST(Expansion, obeys_another_escape_character) {
  EXPECT_EQ(expanded("c:\\x`$x", {.escape = '`'}).text, "c:\\x$x");
}

TEST(Expansion, may_take_quotes_for_text) {
  EXPECT_EQ(expanded("'$x\" \\$x", {.has_quotes = false}).text, "'aab\" $x");
}

TEST(Expansion, names_the_variables_that_it_used_and_missed) {
  const Expansion expansion = expanded("$x ${nobody:-$empty} '$path'");
  EXPECT_THAT(expansion.used, ElementsAre("empty", "x"));
  EXPECT_THAT(expansion.missing, ElementsAre("nobody"));
}

TEST(Expansion, ends_when_its_budget_is_used_up) {
  Budget budget(100);
  std::string word;
  for (int i = 0; i < 40; ++i) {
    word += "$x";
  }
  EXPECT_THROW(expand(word, find_variable, {}, budget), Error);
}

TEST(Expansion, refuses_variables_nested_without_end) {
  std::string word;
  for (int i = 0; i < 100'000; ++i) {
    word += "${nobody:-";
  }
  EXPECT_THROW(expanded(word), Error);
}

}  // namespace
}  // namespace freshet::dockerfile
