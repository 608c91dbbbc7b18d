// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/evaluate.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::dockerfile {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Evaluation evaluated(std::string_view text, const BuildInputs& inputs = {}) {
  const File file = parse(text);
  EXPECT_EQ(render(file.diagnostics, text), "");
  return evaluate(file, inputs, [](const auto&...) { return std::nullopt; });
}

std::vector<std::string> mistakes_of(const Evaluation& evaluation) {
  std::vector<std::string> out;
  for (const Diagnostic& found : evaluation.diagnostics.sorted()) {
    out.push_back(fmt::format("{}:{} {}", found.at.line, found.at.column, found.message));
  }
  return out;
}

struct MistakeCase {
  std::string_view text;
  std::vector<std::string> mistakes;
};

class EvaluationMistake : public ::testing::TestWithParam<MistakeCase> {};

TEST_P(EvaluationMistake, is_told_with_its_place) {
  EXPECT_EQ(mistakes_of(evaluated(GetParam().text)), GetParam().mistakes) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Dockerfile,
    EvaluationMistake,
    ::testing::Values(
        MistakeCase{"FROM $x\n", {"1:6 '$x' names no image"}},
        MistakeCase{"FROM ${x\n", {"1:6 '}' in '${x' is missing"}},
        MistakeCase{"FROM --platform=foo a\n", {"1:6 'foo' is no platform"}},
        MistakeCase{"ARG A=\"${B:?give it}\"\nFROM a\n", {"1:5 B: give it"}},
        MistakeCase{
            "FROM a\nENV A=${x!}\nUSER '\n",
            {"2:5 '${x!' in '${x!}' is no known form",
             "3:6 a single quote in ''' is never closed"}},
        MistakeCase{"FROM a\nCOPY --from=1 a b\n", {"2:6 there is no stage 1"}},
        MistakeCase{"FROM a\nCOPY --from=9 a b\nFROM c\n", {"2:6 there is no stage 9"}},
        MistakeCase{
            "FROM a\nCOPY --from=0 a b\n", {"2:1 a stage cannot copy or mount from itself"}},
        MistakeCase{
            "FROM a AS x\nCOPY --from=y a b\nFROM x AS y\n", {"2:1 the stage 'y' comes later"}},
        MistakeCase{"FROM a\nCOPY --chmod=99 a b\n", {"2:6 '99' is no mode of files"}},
        MistakeCase{"FROM a\nCOPY http://h/x b\n", {"2:6 COPY cannot fetch 'http://h/x'"}},
        MistakeCase{
            "FROM a\nADD --checksum=sha256:0 a b\n",
            {"2:5 a checksum is for one source from the network"}},
        MistakeCase{"FROM a\nRUN --mount=type=x b\n", {"2:5 'x' is no type of a mount"}},
        MistakeCase{
            "FROM a\nRUN --mount=type=tmpfs,target=/ b\n",
            {"2:5 a mount needs a target other than '/'"}},
        MistakeCase{"FROM a\nEXPOSE x\n", {"2:1 'x' is no port"}},
        MistakeCase{"FROM a\nSTOPSIGNAL x\n", {"2:12 there is no signal 'x'"}},
        MistakeCase{"FROM a\nVOLUME $x\n", {"2:8 a volume has an empty path"}},
        MistakeCase{
            "FROM a AS b\nONBUILD RUN --x y\nFROM b\n",
            {"3:1 ONBUILD of the base, 'RUN --x y': there is no flag '--x' here"}}));

TEST(Target, must_be_there) {
  BuildInputs inputs;
  inputs.target = "biuld";
  const Evaluation evaluation = evaluated("FROM a AS build\n", inputs);
  EXPECT_THAT(evaluation.stages, IsEmpty());
  EXPECT_EQ(
      render(evaluation.diagnostics, ""),
      "error: there is no stage 'biuld'\n    hint: did you mean build?\n");
}

TEST(Evaluation, ends_where_variables_grow_without_bounds) {
  std::string text = "FROM a\nENV A=aaaaaaaaaa\n";
  for (int i = 0; i < 64; ++i) {
    text += "ENV A=$A$A\n";
  }
  const Evaluation evaluation = evaluated(text);
  EXPECT_THAT(evaluation.stages, IsEmpty());
  EXPECT_THAT(
      mistakes_of(evaluation),
      ElementsAre("0:0 what this Dockerfile comes to grows without bounds"));
}

TEST(Evaluation, ends_where_every_command_finds_another_environment) {
  std::string text = "FROM a\n";
  for (int i = 0; i < 4'900; ++i) {
    text += fmt::format("ENV A{}={}\nRUN b\n", i, i);
  }
  EXPECT_TRUE(evaluated(text).diagnostics.has_errors());
}

TEST(Evaluation, ends_where_patterns_make_too_much_work) {
  std::string text = "FROM a\nENV A=" + std::string(60'000, 'a') + "\n";
  for (int i = 0; i < 1'000; ++i) {
    text += "ENV B=${A//a*a*a*b/}\n";
  }
  EXPECT_THAT(
      mistakes_of(evaluated(text)),
      ElementsAre("0:0 what this Dockerfile comes to grows without bounds"));
}

TEST(Evaluation, ends_where_triggers_multiply) {
  std::string text = "FROM a AS a\n";
  for (int i = 0; i < 3'000; ++i) {
    text += "ONBUILD USER b\n";
  }
  for (int i = 0; i < 3'000; ++i) {
    text += fmt::format("FROM a AS a{}\nCOPY --from={} / /\n", i + 1, i);
  }
  EXPECT_THAT(
      mistakes_of(evaluated(text)),
      ElementsAre("0:0 what this Dockerfile comes to grows without bounds"));
}

}  // namespace
}  // namespace freshet::dockerfile
