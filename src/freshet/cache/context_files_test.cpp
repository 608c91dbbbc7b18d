// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/context_files.hpp"

#include "freshet/base/text.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace freshet::cache {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

/// A context with these paths, in the order of a digest. `name -> target` is a link, `name = other`
/// another name of a file.
std::vector<ContextEntry> entries_of(const std::vector<std::string>& lines) {
  std::vector<ContextEntry> entries;
  for (const std::string& line : lines) {
    ContextEntry entry;
    const std::size_t link = line.find(" -> ");
    const std::size_t twin = line.find(" = ");
    entry.path = line.substr(0, std::min(link, twin));
    entry.state = "state of " + line;
    entry.is_link = link != std::string::npos;
    entry.link = entry.is_link               ? line.substr(link + 4)
                 : twin == std::string::npos ? ""
                                             : line.substr(twin + 3);
    entries.push_back(std::move(entry));
  }
  return entries;
}

class Sources : public ::testing::Test {
 protected:
  std::vector<std::string> names(const std::vector<std::size_t>& indexes) const {
    std::vector<std::string> out;
    for (const std::size_t index : indexes) {
      out.push_back(entries_.at(index).path);
    }
    return out;
  }

  /// What the instruction copies.
  std::vector<std::string> copied(const std::string& line) const {
    const dockerfile::File file = dockerfile::parse("FROM scratch\n" + line);
    const auto no_config = [](const std::string&, const oci::Platform&) { return std::nullopt; };
    const dockerfile::Evaluation evaluation = dockerfile::evaluate(file, {}, no_config);
    EXPECT_FALSE(file.diagnostics.has_errors() || evaluation.diagnostics.has_errors()) << line;
    const auto& step = evaluation.stages.at(0).steps.at(0);
    const auto seen = ContextFiles(entries_).copied_by(std::get<dockerfile::CopyStep>(step.action));
    return names(seen.value_or(std::vector<std::size_t>()));
  }

  std::vector<std::string> mounted(const std::string& path) const {
    return names(ContextFiles(entries_).below(path).value_or(std::vector<std::size_t>()));
  }

  std::vector<ContextEntry> entries_ = entries_of(
      {"Makefile",
       "[x].c",
       "a.c",
       "b.c",
       "doc",
       "doc/a.md",
       "src",
       "src/lib",
       "src/lib/a.c",
       "src/lib/a.h",
       "src/main.c",
       "src2",
       "src2/x.c"});
};

TEST_F(Sources, name_files_and_whole_directories) {
  EXPECT_THAT(copied("COPY a.c Makefile /x/"), ElementsAre("Makefile", "a.c"));
  EXPECT_THAT(
      copied("COPY src /x"),
      ElementsAre("src", "src/lib", "src/lib/a.c", "src/lib/a.h", "src/main.c"));
  EXPECT_THAT(
      copied("COPY ./src/../src/lib/ /x"), ElementsAre("src/lib", "src/lib/a.c", "src/lib/a.h"));
  EXPECT_EQ(copied("COPY . /x").size(), entries_.size());
  EXPECT_EQ(copied("COPY / /x").size(), entries_.size());
  EXPECT_THAT(copied("COPY absent /x"), IsEmpty());
}

TEST_F(Sources, may_be_patterns) {
  EXPECT_THAT(copied("COPY *.c /x/"), ElementsAre("[x].c", "a.c", "b.c"));
  EXPECT_THAT(copied("COPY ?.c /x/"), ElementsAre("a.c", "b.c"));
  EXPECT_THAT(copied("COPY [a-a].c /x/"), ElementsAre("a.c"));
  EXPECT_THAT(copied("COPY s*/*.c /x/"), ElementsAre("src/main.c", "src2/x.c"));
  EXPECT_THAT(copied("COPY src/l* /x/"), ElementsAre("src/lib", "src/lib/a.c", "src/lib/a.h"));
  EXPECT_THAT(copied("ADD src2* /x/"), ElementsAre("src2", "src2/x.c"));
  EXPECT_THAT(copied("COPY d**c /x/"), ElementsAre("doc", "doc/a.md"));
  EXPECT_THAT(copied("COPY do** /x/"), ElementsAre("doc", "doc/a.md"));
  EXPECT_THAT(copied("COPY */lib /x/"), ElementsAre("src/lib", "src/lib/a.c", "src/lib/a.h"));
  EXPECT_THAT(copied("COPY [^a-b].c /x/"), IsEmpty());
  EXPECT_THAT(copied("COPY [!a].c /x/"), ElementsAre("a.c"));
}

TEST_F(Sources, without_a_sure_meaning_are_everything) {
  EXPECT_EQ(copied("COPY \\\\[x].c /x/").size(), entries_.size());
  EXPECT_EQ(copied("COPY [a-.c /x/").size(), entries_.size());
}

TEST_F(Sources, leave_out_what_is_excluded_below_them) {
  EXPECT_THAT(copied("COPY --exclude=lib src /x"), ElementsAre("src", "src/main.c"));
  EXPECT_THAT(copied("COPY --exclude=**/*.c src /x"), ElementsAre("src", "src/lib", "src/lib/a.h"));
  // Patterns are for paths below the source: this one is in a directory of it.
  EXPECT_THAT(
      copied("COPY --exclude=a.h src /x"),
      ElementsAre("src", "src/lib", "src/lib/a.c", "src/lib/a.h", "src/main.c"));
  // Whether a source itself may be excluded is left open.
  EXPECT_THAT(copied("COPY --exclude=a.c *.c /x/"), ElementsAre("[x].c", "a.c", "b.c"));
  EXPECT_THAT(
      copied("COPY --exclude=lib --exclude=!lib/a.h src /x"),
      ElementsAre("src", "src/lib", "src/lib/a.c", "src/lib/a.h", "src/main.c"));
}

TEST_F(Sources, bring_their_parents_when_these_are_kept) {
  EXPECT_THAT(
      copied("COPY --parents src/lib/a.h /x/"), ElementsAre("src", "src/lib", "src/lib/a.h"));
  EXPECT_THAT(
      copied("COPY --parents ./src/./lib/*.h /x/"), ElementsAre("src", "src/lib", "src/lib/a.h"));
  EXPECT_THAT(
      copied("COPY --parents **/*.c /x/"),
      ElementsAre(
          "[x].c",
          "a.c",
          "b.c",
          "src",
          "src/lib",
          "src/lib/a.c",
          "src/main.c",
          "src2",
          "src2/x.c"));
}

TEST_F(Sources, lead_through_links_within_the_context) {
  entries_ = entries_of(
      {"a",
       "current -> v1",
       "deep",
       "deep/again -> ../current",
       "deep/far -> /v1/sub/./x",
       "out -> ../../../a",
       "v1",
       "v1/sub",
       "v1/sub/x",
       "v1/y -> ../a"});
  EXPECT_THAT(copied("COPY current/sub /x"), ElementsAre("current", "v1/sub", "v1/sub/x"));
  const std::vector<std::string> whole{"current", "v1", "v1/sub", "v1/sub/x", "v1/y"};
  EXPECT_EQ(copied("COPY current /x"), whole);
  EXPECT_EQ(copied("COPY c* /x"), whole);
  EXPECT_EQ(mounted("current"), whole);
  EXPECT_THAT(copied("COPY c*/su* /x"), ElementsAre("current", "v1/sub", "v1/sub/x"));
  EXPECT_THAT(copied("COPY v1 /x"), ElementsAre("v1", "v1/sub", "v1/sub/x", "v1/y"));
  EXPECT_THAT(copied("COPY v1/y /x"), ElementsAre("a", "v1/y"));
  EXPECT_THAT(copied("COPY out /x"), ElementsAre("a", "out"));
  EXPECT_THAT(copied("COPY deep/far /x"), ElementsAre("deep/far", "v1/sub/x"));
  EXPECT_THAT(
      copied("COPY deep/again/su* /x"), ElementsAre("current", "deep/again", "v1/sub", "v1/sub/x"));
  EXPECT_THAT(copied("COPY deep /x"), ElementsAre("deep", "deep/again", "deep/far"));
}

TEST_F(Sources, that_lead_through_links_in_unsure_ways_are_everything) {
  for (const std::string target : {"a", "b/../c", "../x/..", "b/.."}) {
    entries_ = entries_of({"a -> " + target, "b", "b/x", "c"});
    EXPECT_EQ(copied("COPY a /x").size(), 4U) << target;
  }
  entries_ = entries_of({"a -> b", "b", "b/x", "c"});
  EXPECT_EQ(copied("COPY **/x /x").size(), 4U);
}

TEST_F(Sources, bring_the_first_name_of_a_file_that_has_several) {
  entries_ = entries_of({"a", "a/one", "b", "b/two = a/one"});
  EXPECT_THAT(copied("COPY b /x"), ElementsAre("a/one", "b", "b/two"));
}

TEST_F(Sources, of_mounts_are_no_patterns) {
  EXPECT_THAT(mounted("[x].c"), ElementsAre("[x].c"));
  EXPECT_THAT(mounted("/src/lib"), ElementsAre("src/lib", "src/lib/a.c", "src/lib/a.h"));
  EXPECT_EQ(mounted("").size(), entries_.size());
}

TEST_F(Sources, are_everything_once_looking_has_cost_enough) {
  ContextFiles files(entries_, 3 * entries_.size());
  EXPECT_THAT(files.below("doc"), Optional(ElementsAre(4, 5)));
  EXPECT_THAT(files.below("a.c"), Optional(ElementsAre(2)));
  EXPECT_THAT(files.below("b.c"), Optional(ElementsAre(3)));
  EXPECT_EQ(files.below("doc"), std::nullopt);

  ContextFiles hostile(entries_, 1000 * entries_.size());
  dockerfile::CopyStep step;
  step.sources = {{dockerfile::SourceKind::path, "/" + std::string(3000, '?') + "*"}};
  EXPECT_EQ(hostile.copied_by(step), std::nullopt);
}

}  // namespace
}  // namespace freshet::cache
