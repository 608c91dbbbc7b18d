// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/file.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::dockerfile {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Every instruction as `first-last text`.
std::vector<std::string> lines_of(std::string_view dockerfile) {
  std::vector<std::string> out;
  for (const Instruction& found : parse(dockerfile).instructions) {
    out.push_back(fmt::format("{}-{} {}", found.line, found.last_line, found.text));
  }
  return out;
}

/// Every instruction as `stage:name:step keyword`.
std::vector<std::string> steps_of(std::string_view dockerfile) {
  std::vector<std::string> out;
  for (const Instruction& found : parse(dockerfile).instructions) {
    out.push_back(fmt::format(
        "{}:{}:{} {}", found.stage_index, found.stage_name, found.step_in_stage, found.keyword));
  }
  return out;
}

struct LineCase {
  const char* name;
  std::string_view dockerfile;
  std::vector<std::string> expected;
};

class Lines : public ::testing::TestWithParam<LineCase> {};

TEST_P(Lines, are_read_as_buildkit_reads_them) {
  EXPECT_EQ(lines_of(GetParam().dockerfile), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Dockerfile,
    Lines,
    ::testing::Values(
        LineCase{"empty_file", "", {}},
        LineCase{"blanks_and_comments", "\n  \n# c\n\t# d\n", {}},
        LineCase{"no_line_break_at_the_end", "FROM a\nRUN b", {"1-1 FROM a", "2-2 RUN b"}},
        LineCase{"keyword_in_any_case", "from a\nrUn Make", {"1-1 FROM a", "2-2 RUN Make"}},
        LineCase{"keyword_alone", "RUN", {"1-1 RUN"}},
        LineCase{"blanks_around", "  \tRUN a  \t\n", {"1-1 RUN a"}},
        LineCase{"blanks_inside", "RUN  a \t b\n", {"1-1 RUN  a \t b"}},
        LineCase{
            "windows_line_breaks",
            "FROM a\r\nRUN b \\\r\n  c\r\n",
            {"1-1 FROM a", "2-3 RUN b   c"}},
        LineCase{
            "byte_order_mark",
            "\xEF\xBB\xBF"
            "FROM a",
            {"1-1 FROM a"}},
        LineCase{
            "continuation", "RUN a \\\n    && b\\\nc\nRUN d", {"1-3 RUN a     && bc", "4-4 RUN d"}},
        LineCase{"blanks_after_the_escape", "RUN a \\ \t\n b", {"1-2 RUN a  b"}},
        LineCase{"doubled_escape", "RUN a \\\\\nRUN b", {"1-1 RUN a \\\\", "2-2 RUN b"}},
        LineCase{
            "comment_in_a_continuation",
            "RUN a \\\n  # why\n# and\n b\nRUN c",
            {"1-4 RUN a  b", "5-5 RUN c"}},
        LineCase{
            "empty_line_in_a_continuation",
            "RUN a \\\n\n  \n b\nRUN c",
            {"1-4 RUN a  b", "5-5 RUN c"}},
        LineCase{"comment_that_ends_in_an_escape", "# c \\\nRUN a", {"2-2 RUN a"}},
        LineCase{"comment_sign_inside", "RUN a # b\n", {"1-1 RUN a # b"}},
        LineCase{"escape_at_the_end_of_the_file", "RUN a \\", {"1-1 RUN a"}},
        LineCase{"escape_alone", "\\\nRUN a", {"1-2 RUN a"}},
        LineCase{
            "directive_escape",
            "# escape=`\nRUN a `\n b\nCOPY x c:\\\nRUN c",
            {"2-3 RUN a  b", "4-4 COPY x c:\\", "5-5 RUN c"}},
        LineCase{
            "directive_in_any_case", "#syntax=x/y:1\n# EsCaPe = ` \nRUN a `\n b", {"3-4 RUN a  b"}},
        LineCase{
            "directive_after_a_comment",
            "# hello\n# escape=`\nRUN a `\nRUN b",
            {"3-3 RUN a `", "4-4 RUN b"}},
        LineCase{
            "directive_after_an_empty_line",
            "\n# escape=`\nRUN a `\nRUN b",
            {"3-3 RUN a `", "4-4 RUN b"}},
        LineCase{
            "sentence_with_an_equals_sign",
            "# set a = b\n# escape=`\nRUN a `\nRUN b",
            {"3-3 RUN a `", "4-4 RUN b"}}),
    [](const auto& known) { return known.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Heredoc,
    Lines,
    ::testing::Values(
        LineCase{"plain", "RUN <<EOF\nRUN x\n# y\nEOF\nRUN z", {"1-4 RUN <<EOF", "5-5 RUN z"}},
        LineCase{"with_a_command", "RUN cat <<EOF > /f\na\nEOF\n", {"1-3 RUN cat <<EOF > /f"}},
        LineCase{
            "indented_terminator_needs_the_dash",
            "RUN <<EOF\n\tEOF\nEOF\nRUN z",
            {"1-3 RUN <<EOF", "4-4 RUN z"}},
        LineCase{"dash", "RUN <<-EOF\n\tx\n\t\tEOF\nRUN z", {"1-3 RUN <<-EOF", "4-4 RUN z"}},
        LineCase{
            "dash_ignores_no_blanks",
            "RUN <<-EOF\n EOF\nEOF\nRUN z",
            {"1-3 RUN <<-EOF", "4-4 RUN z"}},
        LineCase{
            "double_quotes", "RUN <<\"E F\"\nEOF\nE F\nRUN z", {"1-3 RUN <<\"E F\"", "4-4 RUN z"}},
        LineCase{
            "single_quotes",
            "COPY <<'EOF' /f\nx\nEOF\nRUN z",
            {"1-3 COPY <<'EOF' /f", "4-4 RUN z"}},
        LineCase{
            "two", "COPY <<A <<B /d/\nB\nA\nA\nB\nRUN z", {"1-5 COPY <<A <<B /d/", "6-6 RUN z"}},
        LineCase{
            "with_a_descriptor",
            "RUN 3<<EOF cat\nx\nEOF\nRUN z",
            {"1-3 RUN 3<<EOF cat", "4-4 RUN z"}},
        LineCase{
            "windows_line_breaks",
            "RUN <<EOF\r\nx\r\nEOF\r\nRUN z\r\n",
            {"1-3 RUN <<EOF", "4-4 RUN z"}},
        LineCase{
            "continued_line",
            "RUN a \\\n <<EOF\nx \\\nEOF\nRUN z",
            {"1-4 RUN a  <<EOF", "5-5 RUN z"}},
        LineCase{
            "in_onbuild",
            "ONBUILD RUN <<EOF\nx\nEOF\nRUN z",
            {"1-3 ONBUILD RUN <<EOF", "4-4 RUN z"}},
        LineCase{"never_ended", "RUN <<EOF\nRUN x\n", {"1-1 RUN <<EOF", "2-2 RUN x"}},
        LineCase{
            "quoted_word_is_text",
            "RUN echo \"<<EOF\" '<<A' \\<<B\nRUN z",
            {"1-1 RUN echo \"<<EOF\" '<<A' \\<<B", "2-2 RUN z"}},
        LineCase{"here_string_is_text", "RUN cat <<<x\nRUN z", {"1-1 RUN cat <<<x", "2-2 RUN z"}},
        LineCase{
            "shift_is_text", "RUN echo $((1<<2))\nRUN z", {"1-1 RUN echo $((1<<2))", "2-2 RUN z"}},
        LineCase{
            "not_in_other_instructions",
            "LABEL a=<<EOF\nENV b <<EOF\nRUN z",
            {"1-1 LABEL a=<<EOF", "2-2 ENV b <<EOF", "3-3 RUN z"}}),
    [](const auto& known) { return known.param.name; });

TEST(Stages, are_counted_as_buildkit_counts_them) {
  EXPECT_THAT(
      steps_of("ARG V=1\n"
               "FROM --platform=$BUILDPLATFORM golang:$V AS Builder\n"
               "WORKDIR /src\n"
               "ENV A=b\n"
               "COPY . .\n"
               "ONBUILD RUN x\n"
               "RUN make\n"
               "FROM alpine\n"
               "ADD x /x\n"
               "CMD [\"/x\"]\n"),
      ElementsAre(
          "-1::0 ARG",
          "0:builder:1 FROM",
          "0:builder:2 WORKDIR",
          "0:builder:0 ENV",
          "0:builder:3 COPY",
          "0:builder:0 ONBUILD",
          "0:builder:4 RUN",
          "1::1 FROM",
          "1::2 ADD",
          "1::0 CMD"));
}

TEST(Stages, do_not_count_a_from_that_names_scratch_or_an_earlier_stage) {
  EXPECT_THAT(
      steps_of("FROM alpine AS Base\nFROM base AS test\nRUN a\nFROM scratch\nCOPY a /\nFROM "
               "later\nFROM a AS later\n"),
      ElementsAre(
          "0:base:1 FROM",
          "1:test:0 FROM",
          "1:test:1 RUN",
          "2::0 FROM",
          "2::1 COPY",
          "3::1 FROM",
          "4:later:1 FROM"));
}

TEST(Stages, are_named_in_lower_case_by_a_from) {
  EXPECT_THAT(steps_of("FROM a AS Base\nFROM Base\n"), ElementsAre("0:base:1 FROM", "1::1 FROM"));
}

TEST(Stages, give_nothing_in_front_of_the_first_from_a_number) {
  EXPECT_THAT(steps_of("RUN a\nFROM b\n"), ElementsAre("-1::0 RUN", "0::1 FROM"));
}

}  // namespace
}  // namespace freshet::dockerfile
