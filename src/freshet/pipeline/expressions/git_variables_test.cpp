// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/expressions/git_variables.hpp"

#include "freshet/base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::pipeline {
namespace {

TEST(NormaliseBranchTag, follows_the_table) {
  struct Case {
    std::string branch;
    std::string tag;
    std::string lower;
  };
  const std::vector<Case> cases = {
      {"master", "master", "master"},
      {"feature/foo", "feature_foo", "feature_foo"},
      {"Feature/ABC-12", "Feature_ABC-12", "feature_abc-12"},
      {"fix/bug#123@x", "fix_bug_123_x", "fix_bug_123_x"},
      {"release/1.2.x", "release_1.2.x", "release_1.2.x"},
      {"-tmp", "_tmp", "_tmp"},
      {".hidden", "_hidden", "_hidden"},
      {"naïve", "na_ve", "na_ve"},
      {"日本", "__", "__"},
      {"pr-2345", "pr-2345", "pr-2345"},
      {"a__b", "a__b", "a__b"},
      {"", "", ""},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(normalise_branch_tag(one.branch), one.tag) << one.branch;
    EXPECT_EQ(to_lower(normalise_branch_tag(one.branch)), one.lower) << one.branch;
  }
}

TEST(NormaliseBranchTag, cuts_at_128_characters) {
  EXPECT_EQ(normalise_branch_tag(std::string(200, 'x')), std::string(128, 'x'));
}

TEST(NormaliseBranchVersion, uses_dashes) {
  EXPECT_EQ(normalise_branch_version("feature/my_Branch#1"), "feature-my-Branch-1");
  EXPECT_EQ(normalise_branch_version("release/1.2.x"), "release-1.2.x");
}

TEST(EscapeQuotes, escapes_only_quotes) {
  EXPECT_EQ(escape_quotes("it's \"x\" $y"), "it\\'s \\\"x\\\" $y");
}

TEST(EscapeSpecial, escapes_each_character_that_shells_treat_specially) {
  EXPECT_EQ(escape_special("a b\n\r\t"), "a b\\n\\r\\t");
  for (const char c : std::string("\\\"'$`&|;<>(){}[]*?!#~%")) {
    EXPECT_EQ(escape_special(std::string(1, c)), std::string("\\") + c);
  }
  EXPECT_EQ(escape_special("é-_.:/="), "é-_.:/=");
}

TEST(GitVariables, gives_all_that_git_knows) {
  model::GitFacts git;
  git.repo_owner = "ann";
  git.repo_name = "app";
  git.branch = "Feature/x_1";
  git.revision = "0123456789abcdef0123456789abcdef01234567";
  git.commit_author = "Ann";
  git.commit_message = "it's $5";
  git.commit_url = "https://git.example/c/1";
  EXPECT_THAT(
      git_variables(git),
      testing::ElementsAre(
          NamedValue("CF_REPO_OWNER", "ann"),
          NamedValue("CF_REPO_NAME", "app"),
          NamedValue("CF_BRANCH", "Feature/x_1"),
          NamedValue("CF_BRANCH_TAG_NORMALIZED", "Feature_x_1"),
          NamedValue("CF_BRANCH_TAG_NORMALIZED_LOWER_CASE", "feature_x_1"),
          NamedValue("CF_BRANCH_VERSION_NORMALIZED", "Feature-x-1"),
          NamedValue("CF_REVISION", "0123456789abcdef0123456789abcdef01234567"),
          NamedValue("CF_SHORT_REVISION", "0123456"),
          NamedValue("CF_COMMIT_AUTHOR", "Ann"),
          NamedValue("CF_COMMIT_URL", "https://git.example/c/1"),
          NamedValue("CF_COMMIT_MESSAGE", "it\\'s $5"),
          NamedValue("CF_COMMIT_MESSAGE_ESCAPED", "it\\'s \\$5")));
}

TEST(GitVariables, what_is_unknown_is_absent) {
  EXPECT_TRUE(git_variables({}).empty());
}

}  // namespace
}  // namespace freshet::pipeline
