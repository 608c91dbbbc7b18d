// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/file.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::dockerfile {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Every mistake as `line:column message`.
std::vector<std::string> mistakes_of(std::string_view text) {
  std::vector<std::string> out;
  for (const Diagnostic& found : parse(text).diagnostics.sorted()) {
    out.push_back(fmt::format("{}:{} {}", found.at.line, found.at.column, found.message));
  }
  return out;
}

/// The body of the one instruction behind FROM.
template <class Kind>
Kind body_of(std::string_view instruction) {
  const File file = parse(fmt::format("FROM a\n{}\n", instruction));
  EXPECT_THAT(mistakes_of(fmt::format("FROM a\n{}\n", instruction)), IsEmpty());
  return std::get<Kind>(file.instructions.at(1).body);
}

std::vector<std::string> texts_of(const std::vector<Word>& words) {
  std::vector<std::string> out;
  for (const Word& word : words) {
    out.push_back(word.text);
  }
  return out;
}

TEST(From, has_a_platform_and_a_name) {
  const File file = parse("from --platform=$BUILDPLATFORM go:1 as Build\n");
  const auto& from = std::get<From>(file.instructions.at(0).body);
  EXPECT_EQ(from.image.text, "go:1");
  EXPECT_EQ(from.platform->text, "$BUILDPLATFORM");
  EXPECT_EQ(from.name, "build");
  EXPECT_EQ(from.image.at, (SourcePosition{"Dockerfile", 1, 32}));
}

TEST(Run, is_a_program_or_a_text_for_the_shell) {
  EXPECT_THAT(
      body_of<dockerfile::Run>("RUN [\"a\", \"b\\u0020c\"]").command.words,
      ElementsAre("a", "b c"));
  EXPECT_TRUE(body_of<dockerfile::Run>("RUN [\"a\"]").command.is_exec);
  EXPECT_THAT(body_of<dockerfile::Run>("RUN a   'b'").command.words, ElementsAre("a   'b'"));
  EXPECT_FALSE(body_of<dockerfile::Run>("RUN a").command.is_exec);
}

TEST(Run, is_a_text_for_the_shell_when_its_json_is_broken) {
  for (const std::string_view text : {"['a']", "[\"a\"", "[\"a\",]", "[\"a\"] b", "[a]"}) {
    const dockerfile::Run run = body_of<dockerfile::Run>(fmt::format("RUN {}", text));
    EXPECT_FALSE(run.command.is_exec) << text;
    EXPECT_THAT(run.command.words, ElementsAre(text));
  }
}

TEST(Run, has_flags) {
  const dockerfile::Run run = body_of<dockerfile::Run>(
      "RUN --mount=type=cache,target=/a --network=none --mount='target=/b c' "
      "--security=insecure --device=gpu make --fast");
  EXPECT_THAT(texts_of(run.mounts), ElementsAre("type=cache,target=/a", "target=/b c"));
  EXPECT_EQ(run.network, Network::none);
  EXPECT_TRUE(run.is_insecure);
  EXPECT_THAT(texts_of(run.devices), ElementsAre("gpu"));
  EXPECT_THAT(run.command.words, ElementsAre("make --fast"));
}

TEST(Run, takes_nothing_for_a_flag_behind_two_dashes) {
  EXPECT_THAT(
      body_of<dockerfile::Run>("RUN -- --network=x").command.words, ElementsAre("--network=x"));
}

TEST(Copy, has_flags) {
  const Copy copy = body_of<Copy>(
      "COPY --from=b --chown=1:2 --chmod=0644 --link --parents --exclude=*.md --exclude=x a b /c/");
  EXPECT_EQ(copy.from->text, "b");
  EXPECT_EQ(copy.owner.text, "1:2");
  EXPECT_EQ(copy.mode.text, "0644");
  EXPECT_TRUE(copy.is_link && copy.keeps_parents && !copy.is_add);
  EXPECT_THAT(texts_of(copy.excluded), ElementsAre("*.md", "x"));
  EXPECT_THAT(texts_of(copy.sources), ElementsAre("a", "b"));
  EXPECT_EQ(copy.destination.text, "/c/");
}

TEST(Copy, takes_names_with_blanks_from_json) {
  const Copy copy = body_of<Copy>("COPY [\"a b\", \"/c d\"]");
  EXPECT_THAT(texts_of(copy.sources), ElementsAre("a b"));
  EXPECT_EQ(copy.destination.text, "/c d");
}

TEST(Copy, takes_files_from_here_documents) {
  const Copy copy = body_of<Copy>("COPY <<A x <<-'B' /d/\n$a\nA\n\tb\n\t c\n\tB");
  EXPECT_THAT(
      copy.inline_files,
      ElementsAre(InlineFile{"A", "$a\n", true}, InlineFile{"B", "b\n c\n", false}));
  EXPECT_THAT(texts_of(copy.sources), ElementsAre("x"));
}

TEST(Add, has_flags_of_its_own) {
  const Copy add =
      body_of<Copy>("ADD --keep-git-dir=true --checksum=sha256:0 --unpack=false http://h/x /x");
  EXPECT_TRUE(add.is_add);
  EXPECT_EQ(add.keeps_git_dir, true);
  EXPECT_EQ(add.unpacks, false);
  EXPECT_EQ(add.checksum.text, "sha256:0");
}

TEST(Settings, are_one_name_and_the_rest_or_several_with_equals_signs) {
  const Env one = body_of<Env>("ENV A  b = \"c\" ");
  ASSERT_THAT(one.settings, SizeIs(1));
  EXPECT_EQ(one.settings[0].value.text, "b = \"c\"");
  const Label several = body_of<Label>("LABEL a=b \"c d\"='e f' g=h\\ i=");
  ASSERT_THAT(several.settings, SizeIs(3));
  EXPECT_EQ(several.settings[1].name.text, "\"c d\"");
  EXPECT_EQ(several.settings[1].value.text, "'e f'");
  EXPECT_EQ(several.settings[2].value.text, "h\\ i=");
}

TEST(Arg, may_have_a_value_or_none) {
  const Arg arg = body_of<Arg>("ARG A B= C=\"d e\"");
  ASSERT_THAT(arg.declarations, SizeIs(3));
  EXPECT_FALSE(arg.declarations[0].value);
  EXPECT_EQ(arg.declarations[1].value->text, "");
  EXPECT_EQ(arg.declarations[2].value->text, "\"d e\"");
}

TEST(Healthcheck, has_times) {
  using namespace std::chrono_literals;
  const auto check = body_of<Healthcheck>(
      "HEALTHCHECK --interval=1m30s --timeout=1.5s --start-period=2h --start-interval=100ms "
      "--retries=3 CMD curl x");
  EXPECT_EQ(check, (Healthcheck{{"CMD-SHELL", "curl x"}, 90s, 1500ms, 2h, 100ms, 3}));
  EXPECT_THAT(body_of<Healthcheck>("HEALTHCHECK cmd [\"a\"]").test, ElementsAre("CMD", "a"));
  EXPECT_THAT(body_of<Healthcheck>("HEALTHCHECK none").test, ElementsAre("NONE"));
}

TEST(Onbuild, keeps_its_here_documents) {
  EXPECT_EQ(body_of<Onbuild>("ONBUILD  RUN <<EOF\na\nEOF").trigger, "RUN <<EOF\na\nEOF");
}

struct MistakeCase {
  std::string_view text;
  std::vector<std::string> mistakes;
};

class FileMistake : public ::testing::TestWithParam<MistakeCase> {};

TEST_P(FileMistake, is_told_with_its_place) {
  EXPECT_EQ(mistakes_of(GetParam().text), GetParam().mistakes) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    File,
    FileMistake,
    ::testing::Values(
        MistakeCase{"", {"0:0 the file has no FROM"}},
        MistakeCase{"ARG A\n", {"0:0 the file has no FROM"}},
        MistakeCase{"RUN a\nFROM b\n", {"1:1 RUN stands in front of the first FROM"}},
        MistakeCase{"FROM a\n  RUNN b\n", {"2:3 there is no instruction 'RUNN'"}},
        MistakeCase{"# escape=x\nFROM a\n", {"1:10 'x' cannot be the escape character"}},
        MistakeCase{
            "# escape=`\n# escape=`\nFROM a\n", {"2:10 the directive 'escape' is there already"}},
        MistakeCase{"FROM a\n\\\n", {"2:1 no instruction follows the escape character"}},
        MistakeCase{"FROM a\nRUN <<A\nb\n", {"2:1 the here-document 'A' is never ended"}},
        MistakeCase{"FROM a b\n", {"1:8 FROM takes an image, and after it at most AS and a name"}},
        MistakeCase{"FROM\n", {"1:1 FROM takes an image, and after it at most AS and a name"}},
        MistakeCase{"FROM a AS 1\n", {"1:11 '1' cannot name a stage"}},
        MistakeCase{"FROM --from=x a\n", {"1:6 there is no flag '--from' here"}}));

INSTANTIATE_TEST_SUITE_P(
    Instruction,
    FileMistake,
    ::testing::Values(
        MistakeCase{"FROM a\nRUN [1]\n", {"2:5 the list holds something that is no text"}},
        MistakeCase{
            "FROM a\nRUN --mount=from=$x b\n", {"2:5 'from' of a mount takes no variables"}},
        MistakeCase{"FROM a\nRUN --network=x b\n", {"2:5 there is no network 'x'"}},
        MistakeCase{"FROM a\nRUN --security=x b\n", {"2:5 there is no security 'x'"}},
        MistakeCase{
            "FROM a\nRUN \\\n  --network=none --network b\n", {"3:18 '--network' is given twice"}},
        MistakeCase{"FROM a\nCOPY --link=2 a b\n", {"2:6 '--link' must be true or false"}},
        MistakeCase{"FROM a\nCOPY --chown a b\n", {"2:6 '--chown' has no value"}},
        MistakeCase{"FROM a\nADD --from=b a b\n", {"2:5 there is no flag '--from' here"}},
        MistakeCase{"FROM a\nCOPY a\n", {"2:1 COPY needs a source and a destination"}},
        MistakeCase{"FROM a\nCOPY a <<B\nB\n", {"2:8 a here-document cannot be a destination"}},
        MistakeCase{"FROM a\nCOPY --from=$x a b\n", {"2:6 '--from' takes no variables"}},
        MistakeCase{"FROM a\nENV A\n", {"2:5 'A' has no value"}},
        MistakeCase{"FROM a\nENV A=b c\n", {"2:9 'c' has no '='"}},
        MistakeCase{"FROM a\nENV =b\n", {"2:5 a name stands before '='"}},
        MistakeCase{"FROM a\nENV\n", {"2:1 ENV says nothing"}},
        MistakeCase{"FROM a\nSHELL bash\n", {"2:1 SHELL takes a list in JSON"}},
        MistakeCase{"FROM a\nUSER\n", {"2:1 USER says nothing"}},
        MistakeCase{"FROM a\nVOLUME [\"\"]\n", {"2:8 a volume has an empty path"}},
        MistakeCase{"FROM a\nHEALTHCHECK X\n", {"2:13 there is no health check 'X'"}},
        MistakeCase{
            "FROM a\nHEALTHCHECK --timeout=1 CMD a\n",
            {"2:13 '1' is no time of 1ms or more for --timeout"}},
        MistakeCase{"FROM a\nONBUILD FROM b\n", {"2:1 ONBUILD cannot hold FROM"}},
        MistakeCase{"FROM a\nONBUILD ENV A\n", {"2:13 'A' has no value"}},
        MistakeCase{"FROM a\nONBUILD\n", {"2:1 ONBUILD holds no instruction"}}));

TEST(Mistakes, are_told_all_at_once_with_carets_and_advice) {
  const std::string_view text = "FROM a\nRUM b\nCOPY --form=x a b\n";
  EXPECT_EQ(
      render(parse(text).diagnostics, text),
      "Dockerfile:2:1: error: there is no instruction 'RUM'\n"
      "    RUM b\n"
      "    ^\n"
      "    hint: did you mean RUN?\n"
      "Dockerfile:3:6: error: there is no flag '--form' here\n"
      "    COPY --form=x a b\n"
      "         ^\n"
      "    hint: did you mean --from?\n");
}

TEST(Mistakes, end_the_reading_when_there_are_too_many) {
  std::string text = "FROM a\n";
  for (int i = 0; i < 1000; ++i) {
    text += "X\n";
  }
  EXPECT_THAT(mistakes_of(text), SizeIs(50));
}

TEST(File, has_a_size) {
  EXPECT_THAT(
      mistakes_of("FROM a\n#" + std::string(k_max_line_bytes, 'x')),
      ElementsAre("2:1 the line has more than 65535 bytes"));
  EXPECT_THAT(
      mistakes_of(std::string(k_max_file_bytes + 1, '\n')),
      ElementsAre("0:0 the file has more than 4 MiB"));
  std::string text = "FROM a\n";
  for (std::size_t i = 1; i < k_max_instructions; ++i) {
    text += "RUN\n";
  }
  EXPECT_THAT(mistakes_of(text), ElementsAre("10000:1 the file has 10000 instructions or more"));
}

TEST(File, has_a_number_of_words_for_an_instruction) {
  std::string text = "FROM a\nVOLUME";
  std::string heredocs = "FROM a\nRUN";
  for (std::size_t i = 0; i <= k_max_words; ++i) {
    text += " \\\n/v";
    heredocs += i <= k_max_heredocs ? " <<A" : "\nA";
  }
  constexpr std::string_view k_mistake =
      "2:1 the instruction has more than 10000 words or 1000 here-documents";
  EXPECT_THAT(mistakes_of(text), ElementsAre(k_mistake));
  EXPECT_THAT(mistakes_of(heredocs), Contains(k_mistake));
}

TEST(Directives, are_read_at_the_top_alone) {
  const File file = parse("# syntax=a/b:1\n#Escape = `\n# check=skip=all\nFROM a\n# syntax=c\n");
  ASSERT_THAT(file.directives, SizeIs(3));
  EXPECT_EQ(file.directives[0].value.text, "a/b:1");
  EXPECT_EQ(file.directives[1].name, "escape");
  EXPECT_EQ(file.directives[2].value.text, "skip=all");
  EXPECT_EQ(file.escape, '`');
}

TEST(RequestedSyntax, is_found_wherever_a_builder_looks_for_it) {
  EXPECT_EQ(requested_syntax("# syntax=a/b:1 x\nFROM a")->text, "a/b:1");
  EXPECT_EQ(requested_syntax("\xEF\xBB\xBF#!/bin/x\n# Syntax = a\n")->text, "a");
  EXPECT_EQ(requested_syntax("// syntax=a\n")->text, "a");
  EXPECT_EQ(requested_syntax("# escape=`\n# other=1\n# syntax=a\n")->text, "a");
  EXPECT_EQ(requested_syntax("{\"syntax\": \"a\"}")->text, "a");
  EXPECT_EQ(requested_syntax("# b\n# syntax=a\n"), std::nullopt);
  EXPECT_EQ(requested_syntax("FROM a\n# syntax=a\n"), std::nullopt);
  EXPECT_EQ(requested_syntax(""), std::nullopt);
}

}  // namespace
}  // namespace freshet::dockerfile
