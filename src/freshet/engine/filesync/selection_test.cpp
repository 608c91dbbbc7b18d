// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/filesync/selection.hpp"

#include <gtest/gtest.h>

namespace freshet::engine {
namespace {

using Lines = std::vector<std::string>;

struct Case {
  Lines include;  // empty: no include list
  Lines exclude;
  Lines selected;
  Lines left_out;
};

class SelectionTable : public testing::TestWithParam<Case> {};

TEST_P(SelectionTable, selects_as_documented) {
  const Case& c = GetParam();
  const auto include = c.include.empty() ? std::nullopt : std::optional<Lines>(c.include);
  const Selection selection(include, c.exclude);
  for (const std::string& path : c.selected) {
    EXPECT_TRUE(selection.selects(path)) << path;
  }
  for (const std::string& path : c.left_out) {
    EXPECT_FALSE(selection.selects(path)) << path;
  }
}

INSTANTIATE_TEST_SUITE_P(
    excludes,
    SelectionTable,
    testing::Values(
        Case{{}, {}, {"a", "a/b"}, {}},
        // An excluded directory takes everything below it along.
        Case{{}, {"a"}, {"b", "ba"}, {"a", "a/b", "a/b/c"}},
        Case{{}, {"*.log"}, {"d/x.log"}, {"x.log"}},
        Case{{}, {"**/*.log"}, {"x"}, {"x.log", "d/x.log"}},
        // The last pattern that says something decides.
        Case{{}, {"*", "!keep"}, {"keep", "keep/x"}, {"other", "other/x"}},
        Case{{}, {"!keep", "*"}, {}, {"keep", "other"}},
        Case{{}, {"a", "!a/b", "a/b/c"}, {"a/b", "a/b/d"}, {"a", "a/x", "a/b/c"}},
        Case{{}, {"**", "!src/**/*.c"}, {"src/x.c", "src/d/x.c"}, {"src", "src/x.h", "x.c"}},
        Case{
            {},
            {"*.md", "!README*.md", "README-secret.md"},
            {"README.md"},
            {"a.md", "README-secret.md"}},
        Case{{}, {"/a/", "! b", " c "}, {"b"}, {"a", "c"}},
        Case{{}, {".", "", "!"}, {"a"}, {}},
        Case{{}, {"\\!odd"}, {"odd"}, {"!odd"}}));

INSTANTIATE_TEST_SUITE_P(
    includes,
    SelectionTable,
    testing::Values(
        Case{{"a"}, {}, {"a", "a/b", "a/b/c"}, {"b", "ab"}},
        Case{{"a/b"}, {}, {"a/b", "a/b/c"}, {"a", "a/c"}},
        Case{{"*.txt", "src"}, {}, {"x.txt", "src/y"}, {"d/x.txt"}},
        Case{{"src"}, {"**/*.o"}, {"src/a.c"}, {"src/a.o", "a.c"}},
        Case{{"src"}, {"src", "!src/keep"}, {"src/keep"}, {"src/other"}}));

TEST(Selection, prunes_a_directory_only_when_nothing_below_can_be_selected) {
  struct Enter {
    Lines include;
    Lines exclude;
    const char* directory;
    bool enters;
  };
  for (const Enter& c : {
           Enter{{}, {}, "a", true},
           Enter{{}, {"a"}, "a", false},
           Enter{{}, {"a", "!a/b"}, "a", true},
           Enter{{}, {"a", "!c/b"}, "a", false},
           Enter{{}, {"*", "!**/x"}, "a", true},
           Enter{{"a/b"}, {}, "a", true},
           Enter{{"a/b"}, {}, "c", false},
           Enter{{"a"}, {"a", "!b"}, "a", false},
       }) {
    const auto include = c.include.empty() ? std::nullopt : std::optional<Lines>(c.include);
    const Selection selection(include, c.exclude);
    Selection::Step own;
    selection.selects(selection.root(), c.directory, own);
    EXPECT_EQ(selection.enters(own), c.enters)
        << c.directory << ' ' << testing::PrintToString(c.exclude);
  }
}

}  // namespace
}  // namespace freshet::engine
