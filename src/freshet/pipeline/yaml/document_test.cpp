// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/yaml/document.hpp"

#include "freshet/pipeline/yaml/testing/findings_text.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::to_texts;

/// One line that shows the whole tree: `{key: 'text', list: [1, null]}`.
std::string shape(const YamlNode& node) {
  std::vector<std::string> parts;
  switch (node.kind) {
    case YamlKind::null:
      return "null";
    case YamlKind::string:
      return "'" + node.text + "'";
    case YamlKind::list:
      for (const YamlNode& item : node.items) {
        parts.push_back(shape(item));
      }
      return fmt::format("[{}]", fmt::join(parts, ", "));
    case YamlKind::map:
      for (const YamlEntry& entry : node.entries) {
        parts.push_back(entry.key + ": " + shape(entry.value));
      }
      return fmt::format("{{{}}}", fmt::join(parts, ", "));
    case YamlKind::boolean:
    case YamlKind::number:
    case YamlKind::timestamp:
      break;
  }
  return node.text;
}

struct Read {
  std::string tree;  // "none" when there is none
  std::vector<std::string> findings;
};

Read read(std::string_view text) {
  Diagnostics diagnostics;
  Findings findings("x.yml", diagnostics);
  const auto node = parse_document(text, findings);
  return {node ? shape(*node) : "none", to_texts(diagnostics)};
}

TEST(ParseDocument, keeps_order_and_kinds) {
  const Read got = read("b: 1.0\na: \"1.0\"\nlist:\n- yes\n- true\n- ~\n-\nempty:\n");
  EXPECT_EQ(got.tree, "{b: 1.0, a: '1.0', list: ['yes', true, null, null], empty: null}");
  EXPECT_THAT(got.findings, IsEmpty());
}

TEST(ParseDocument, tells_the_places_of_keys_and_values) {
  Diagnostics diagnostics;
  Findings findings("x.yml", diagnostics);
  const auto node =
      parse_document("a:\n  key:   value\n  gone:\n  list:\n    - x\n    -\n", findings);
  ASSERT_TRUE(node);
  const YamlNode& map = node->entries[0].value;
  EXPECT_EQ(map.find("key")->key_at, (YamlPlace{2, 3}));
  EXPECT_EQ(map.find("key")->value.at, (YamlPlace{2, 10}));
  EXPECT_EQ(map.find("gone")->value.at, (YamlPlace{3, 3}));  // of its key
  EXPECT_EQ(map.find("list")->value.items[1].at, (YamlPlace{6, 5}));  // of its dash
  EXPECT_EQ(map.find("other"), nullptr);
}

TEST(ParseDocument, an_empty_file_is_a_null_node) {
  EXPECT_EQ(read("").tree, "null");
  EXPECT_EQ(read("# only a comment\n").tree, "null");
}

TEST(ParseDocument, takes_a_byte_order_mark_windows_line_breaks_and_a_start_marker) {
  EXPECT_EQ(read("\xEF\xBB\xBF---\r\na: |\r\n  x\r\n  y\r\n").tree, "{a: 'x\ny\n'}");
}

TEST(ParseDocument, a_block_text_ends_alike_with_and_without_a_last_line_break) {
  EXPECT_EQ(read("a: |\n  x").tree, "{a: 'x\n'}");
  EXPECT_EQ(read("a: |-\n  x").tree, "{a: 'x'}");
}

TEST(ParseDocument, reports_every_repeated_key_and_keeps_the_first) {
  const Read got = read("a: 1\nb:\n  c: 1\n  c: 2\na: 2\n");
  EXPECT_EQ(got.tree, "{a: 1, b: {c: 1}}");
  EXPECT_THAT(
      got.findings,
      ElementsAre(
          "4:3 error: 'c' is written twice (it stands on line 3 already)",
          "5:1 error: 'a' is written twice (it stands on line 1 already)"));
}

TEST(ParseDocument, puts_aliases_and_merges_in) {
  const Read got = read(
      "base: &b {x: 1, y: 2}\nlist: &l [a]\none:\n  y: mine\n  <<: *b\ntwo:\n  <<: [{z: 3}, *b]\n"
      "  x: own\nthree: *l\n\"<<\": text\n");
  EXPECT_THAT(got.findings, IsEmpty());
  EXPECT_EQ(
      got.tree,
      "{base: {x: 1, y: 2}, list: ['a'], one: {y: 'mine', x: 1}, two: {z: 3, x: 'own', y: 2}, "
      "three: ['a'], <<: 'text'}");
}

TEST(ParseDocument, an_alias_cannot_stand_in_what_it_names) {
  EXPECT_THAT(
      read("a: &x\n  b: *x\n").findings,
      ElementsAre("2:6 error: this alias stands inside of what it names"));
}

TEST(ParseDocument, says_what_is_wrong_with_merges_keys_and_tags) {
  EXPECT_THAT(
      read("<<: text\nimage: {{VAR}}\n? [a]\n: b\nc: !mine x\nd: !!int x\ne: !!map [a]\n").findings,
      ElementsAre(
          "1:1 error: '<<' needs a map or a list of maps to merge",
          "2:9 error: a map cannot be a key (a variable is written ${{NAME}}; other text that "
          "starts with '{' must be put in quotes)",
          "3:3 error: a list cannot be a key (text that starts with '[' must be put in quotes)",
          "5:4 error: the tag '!mine' cannot be used here (text that starts with '!' must be put "
          "in "
          "quotes)",
          "6:4 error: the tag 'tag:yaml.org,2002:int' cannot be used here (text that starts with "
          "'!' must be put in quotes)",
          "7:4 error: the tag 'tag:yaml.org,2002:map' cannot be used here"));
}

TEST(ParseDocument, obeys_the_tags_of_the_core_schema) {
  EXPECT_EQ(read("a: !!str 1\nb: !!int 1\nc: !!seq [x]\n").tree, "{a: '1', b: 1, c: ['x']}");
}

TEST(ParseDocument, refuses_what_expands_without_bound) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    bomb +=
        fmt::format("a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]\n", i, i - 1);
  }
  const Read got = read(bomb);
  EXPECT_EQ(got.tree, "none");
  ASSERT_EQ(got.findings.size(), 1u);
  EXPECT_THAT(
      got.findings[0],
      ::testing::EndsWith("error: the file is too large once its aliases are put in, the limit is "
                          "100000 nodes or 16777216 bytes"));
}

TEST(ParseDocument, refuses_long_texts_that_aliases_multiply) {
  std::string bomb = "a: &a " + std::string(500'000, 'x') + "\nb: [";
  for (int i = 0; i < 100; ++i) {
    bomb += "*a,";
  }
  EXPECT_EQ(read(bomb + "]\n").tree, "none");
}

TEST(ParseDocument, refuses_deep_nesting_also_by_aliases) {
  EXPECT_THAT(
      read(std::string(2000, '[') + std::string(2000, ']')).findings,
      ElementsAre("1:101 error: lists and maps are nested deeper than 100 levels"));
  std::string chain = "a0: &a0 [x]\n";
  for (int i = 1; i < 120; ++i) {
    chain += fmt::format("a{0}: &a{0} [*a{1}]\n", i, i - 1);
  }
  EXPECT_EQ(read(chain).tree, "none");
}

TEST(ParseDocument, refuses_a_file_beyond_the_limit) {
  EXPECT_THAT(
      read(std::string(k_max_document_bytes + 1, ' ')).findings,
      ElementsAre("1:1 error: the file has 1048577 bytes, the limit is 1048576"));
}

TEST(ParseDocument, refuses_a_second_document) {
  EXPECT_THAT(
      read("a: 1\n---\nb: 2\n").findings,
      ElementsAre("2:1 error: a second YAML document starts here, a pipeline file has only one"));
}

TEST(ParseDocument, refuses_what_is_not_utf8) {
  EXPECT_THAT(
      read("a: 1\nb: caf\xE9\n").findings,
      ElementsAre("2:7 error: byte 0xe9 is not UTF-8 (save the file as UTF-8)"));
  for (const std::string_view bad : {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82"}) {
    EXPECT_EQ(read(bad).tree, "none");
  }
  EXPECT_EQ(read("a: é€😀\n").tree, "{a: 'é€😀'}");
}

TEST(ParseDocument, refuses_control_characters) {
  EXPECT_THAT(
      read("a: x\x07y\n").findings,
      ElementsAre("1:5 error: the control character U+0007 is not allowed (in double quotes it can "
                  "be written as an escape)"));
  EXPECT_THAT(
      read("a: 1\rb: 2\n").findings,
      ElementsAre("1:5 error: a carriage return without line feed is not allowed (save the file "
                  "with the line breaks of Unix or Windows)"));
}

TEST(ParseDocument, a_blank_line_may_hold_tabs) {
  EXPECT_EQ(read("a: x\n\t\nb: y\n").tree, "{a: 'x', b: 'y'}");
}

TEST(ParseDocument, explains_syntax_errors_in_the_words_of_a_writer) {
  const std::string indentation =
      " (indent it like the lines that it belongs to; the continuation of a text goes deeper than "
      "its key or '-')";
  const std::string quotes = " (put the text in quotes)";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"a:\n\tb: 1\n", "2:1 error: a tab is used as indentation (use blanks)"},
      {"a:\n  - x\n\t- y\n", "3:1 error: a tab is used as indentation (use blanks)"},
      {"a: echo x: y\n",
       "1:10 error: ': ' cannot stand in unquoted text (put the text in quotes, or write '|' and "
       "the "
       "text on the next line, indented)"},
      {"a:\n  b: 1\n c: 2\n",
       "3:2 error: this line fits into none of the maps above it" + indentation},
      {"a:\n- b\n- c\n  d: e\n", "4:4 error: a key with a value cannot stand here" + indentation},
      {"a: 'b',\n",
       "1:7 error: this stands behind the end of a value (remove it, or put the whole value into "
       "one "
       "pair of quotes)"},
      {"a: {b: c\n",
       "2:1 error: '{' has no matching '}' (text that starts with '{' must be put in quotes)"},
      {"a: [b\n",
       "2:1 error: '[' has no matching ']' (text that starts with '[' must be put in quotes)"},
      {"a: 'it\n", "1:4 error: a quote is opened and never closed"},
      {"a: \"", "1:4 error: a quote is opened and never closed"},
      {"a: &x 'it\n", "1:4 error: a quote is opened and never closed"},
      {"a: * x\n", "1:5 error: '*' starts an alias, but no name follows" + quotes},
      {"a: *x\n", "1:4 error: no anchor of this name stands above" + quotes},
      {"a: @x\n", "1:4 error: text cannot start with this character" + quotes},
      {"a: \"\\d\"\n",
       "1:7 error: unknown escape in double quotes (write '\\\\' for a backslash, or use single "
       "quotes)"},
      {"a: 1\nb", "2:1 error: a ':' is missing behind 'b'"},
      {"a: 1\n: b\n", "2:1 error: the key in front of ':' is missing"},
      {"  a: 1\nb: 2\n",
       "2:1 error: this does not belong to what stands above it (the keys at the top of the file "
       "must "
       "all start in the same column)"},
      {"a: “x” “: y\n",
       "1:15 error: ': ' cannot stand in unquoted text (put the text in quotes, or write '|' and "
       "the "
       "text on the next line, indented)"},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_THAT(read(text).findings, ElementsAre(expected)) << text;
  }
}

TEST(ParseDocument, findings_before_a_syntax_error_are_told_too) {
  EXPECT_THAT(
      read("a: 1\na: 2\nb: @x\n").findings,
      ElementsAre(
          "2:1 error: 'a' is written twice (it stands on line 1 already)",
          "3:4 error: text cannot start with this character (put the text in quotes)"));
}

}  // namespace
}  // namespace freshet::pipeline
