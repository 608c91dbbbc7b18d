// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/evaluate.hpp"

#include "freshet/base/text.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::dockerfile {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::string_view k_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::optional<ImageConfig> no_config(const std::string& /*image*/, const oci::Platform& /*for*/) {
  return std::nullopt;
}

Evaluation evaluated(
    std::string_view text,
    const BuildInputs& inputs = {},
    const FindImageConfig& find_config = no_config) {
  const File file = parse(text);
  EXPECT_EQ(render(file.diagnostics, text), "");
  return evaluate(file, inputs, find_config);
}

std::string shown(const Source& source) {
  if (const auto* stage = std::get_if<StageIndex>(&source)) {
    return fmt::format("stage {}", stage->value);
  }
  const auto* image = std::get_if<ImageName>(&source);
  return image == nullptr ? "context" : image->value;
}

std::string shown(const RunStep& run) {
  std::string environment;
  for (const auto& [name, value] : run.scope->environment) {
    environment += value == k_path ? "" : fmt::format(" {}={}", name, value);
  }
  return fmt::format(
      "RUN {} in {} by '{}' with{}",
      fmt::join(run.command, "|"),
      run.scope->directory,
      run.scope->user,
      environment);
}

std::string shown(const CopyStep& copy) {
  std::vector<std::string> sources;
  for (const CopySource& source : copy.sources) {
    sources.push_back(source.text);
  }
  for (const InlineFile& file : copy.inline_files) {
    sources.push_back(fmt::format("{}:{}", file.name, file.content));
  }
  return fmt::format(
      "COPY {} to {} from {}", join(sources, "|"), copy.destination, shown(copy.from));
}

std::string shown(const WorkdirStep& workdir) {
  return fmt::format("WORKDIR {} of '{}'", workdir.directory, workdir.user);
}

std::string shown(const ConfigStep& config) {
  return join(config.words, "|");
}

/// The steps of the last stage.
std::vector<std::string> steps_of(const Evaluation& evaluation) {
  EXPECT_EQ(render(evaluation.diagnostics, ""), "");
  std::vector<std::string> out;
  for (const Step& step : evaluation.stages.back().steps) {
    out.push_back(std::visit([](const auto& action) { return shown(action); }, step.action));
  }
  return out;
}

TEST(Variables, of_env_and_arg_are_seen_by_what_follows) {
  EXPECT_THAT(
      steps_of(evaluated("FROM a\nARG V=1\nENV X=$V Y=$X\nENV Z=${Y:-y}$X\nRUN b $X\n")),
      ElementsAre(
          "ARG|V=1",
          "ENV|X|1|Y|",
          "ENV|Z|y1",
          "RUN /bin/sh|-c|b $X in / by '' with V=1 X=1 Y= Z=y1"));
}

TEST(Variables, take_what_was_set_last) {
  EXPECT_THAT(
      steps_of(evaluated("FROM a\nENV X=1\nARG X=2\nRUN [\"b\"]\nENV X=3\nRUN [\"b\"]\n")),
      ElementsAre(
          "ENV|X|1",
          "ARG|X=2",
          "RUN b in / by '' with X=2",
          "ENV|X|3",
          "RUN b in / by '' with X=3"));
}

TEST(Arguments, given_to_the_build_win_over_defaults_where_they_are_declared) {
  BuildInputs inputs;
  inputs.arguments = {{"A", "given"}, {"B", "given"}};
  EXPECT_THAT(
      steps_of(evaluated("FROM a\nRUN [\"$A\"]\nARG A=${Q:?}\nRUN [\"b\"]\n", inputs)),
      ElementsAre("RUN $A in / by '' with", "ARG|A=given", "RUN b in / by '' with A=given"));
}

TEST(Arguments, in_front_of_the_first_stage_are_seen_by_from_and_by_whoever_declares_them) {
  EXPECT_THAT(
      steps_of(evaluated("ARG V=1\nARG W=$V.2\nFROM a:$W\nARG W\nRUN [\"b\"]\nUSER u$V\n")),
      ElementsAre("ARG|W=1.2", "RUN b in / by '' with W=1.2", "USER|u"));
  EXPECT_EQ(shown(std::get<ImageName>(evaluated("ARG V=1\nFROM a:${V}\n").stages[0].base)), "a:1");
}

TEST(Arguments, that_every_build_has_tell_the_platforms) {
  BuildInputs inputs;
  inputs.platform = {"linux", "arm64", "v8"};
  EXPECT_THAT(
      steps_of(evaluated(
          "FROM --platform=$BUILDPLATFORM a AS last\nARG TARGETPLATFORM TARGETARCH BUILDARCH "
          "TARGETSTAGE\n",
          inputs)),
      ElementsAre(
          "ARG|TARGETPLATFORM=linux/arm64/v8|TARGETARCH=arm64|BUILDARCH=amd64|TARGETSTAGE=last"));
  EXPECT_EQ(
      evaluated("FROM --platform=$BUILDPLATFORM a\n", inputs).stages[0].platform.to_string(),
      "linux/amd64");
  EXPECT_EQ(evaluated("FROM a\n", inputs).stages[0].platform.to_string(), "linux/arm64/v8");
}

TEST(Arguments, for_a_proxy_are_part_of_nothing_unless_declared) {
  BuildInputs inputs;
  inputs.arguments = {{"HTTP_PROXY", "p"}, {"https_proxy", "p"}};
  EXPECT_THAT(
      steps_of(evaluated("FROM a\nRUN [\"b\"]\nARG HTTP_PROXY\nRUN [\"b\"]\n", inputs)),
      ElementsAre(
          "RUN b in / by '' with", "ARG|HTTP_PROXY=p", "RUN b in / by '' with HTTP_PROXY=p"));
}

TEST(Arguments, for_scans_of_images_are_kept_from_commands) {
  EXPECT_THAT(
      steps_of(evaluated("FROM a\nARG BUILDKIT_SBOM_SCAN_STAGE=true\nRUN [\"b\"]\n")),
      ElementsAre("ARG|BUILDKIT_SBOM_SCAN_STAGE", "RUN b in / by '' with"));
}

TEST(Scope, has_user_directory_and_shell) {
  EXPECT_THAT(
      steps_of(evaluated(
          "FROM a\nWORKDIR /x/../y\nUSER u\nWORKDIR z/./\nSHELL [\"s\"]\nRUN b\nCOPY c d .\n")),
      ElementsAre(
          "WORKDIR /y of ''",
          "USER|u",
          "WORKDIR /y/z of 'u'",
          "SHELL|s",
          "RUN s|b in /y/z by 'u' with",
          "COPY /c|/d to /y/z/ from context"));
}

TEST(Scope, is_shared_by_steps_that_find_the_same) {
  const Evaluation evaluation = evaluated("FROM a\nRUN b\nCMD c\nRUN d\nENV E=f\nRUN g\n");
  const auto scope = [&](std::size_t step) {
    return std::get<RunStep>(evaluation.stages[0].steps[step].action).scope;
  };
  EXPECT_EQ(scope(0), scope(2));
  EXPECT_NE(scope(0), scope(4));
}

TEST(Copy, resolves_paths_and_never_leaves_its_root) {
  EXPECT_THAT(
      steps_of(evaluated("FROM a\nWORKDIR /w\nARG D=d\nCOPY ../../x \"$D\"/*.c y/\nCOPY a ../b\n")),
      ElementsAre(
          "WORKDIR /w of ''",
          "ARG|D=d",
          "COPY /x|/d/*.c to /w/y/ from context",
          "COPY /a to /b from context"));
}

TEST(Copy, puts_variables_into_here_documents_unless_their_name_is_quoted) {
  EXPECT_THAT(
      steps_of(evaluated("FROM a\nENV X=1\nCOPY <<A <<'B' /d/\n'$X' \\$X\nA\n$X\nB\n")),
      ElementsAre("ENV|X|1", "COPY A:'1' $X\n|B:$X\n to /d/ from context"));
}

TEST(Copy, keeps_the_parents_behind_a_pivot) {
  EXPECT_THAT(
      steps_of(evaluated("FROM a\nCOPY --parents ../x/./y/../z/*.c /d/\n")),
      ElementsAre("COPY /x/./z/*.c to /d/ from context"));
}

TEST(Add, tells_archives_urls_and_repositories_apart) {
  const Evaluation evaluation =
      evaluated("FROM a\nADD x.tar http://h/x https://h/r.git#main git@h:r ssh://h/r /d/\n");
  const auto& add = std::get<CopyStep>(evaluation.stages[0].steps[0].action);
  std::vector<SourceKind> kinds;
  for (const CopySource& source : add.sources) {
    kinds.push_back(source.kind);
  }
  using enum SourceKind;
  EXPECT_THAT(kinds, ElementsAre(path, url, git, git, git));
  EXPECT_TRUE(add.unpacks);
}

TEST(Run, gives_a_here_document_to_the_shell_or_runs_it) {
  EXPECT_THAT(
      steps_of(evaluated("FROM a\nRUN <<-A\n\tb\n\tA\nRUN cat <<B - 3<<C\nb\nB\nc\nC\n")),
      ElementsAre(
          "RUN /bin/sh|-c|b\n in / by '' with",
          "RUN /bin/sh|-c|cat <<B - 3<<C\nb\nB\nc\nC in / by '' with"));
  const Evaluation program = evaluated("FROM a\nRUN <<A\n#!/bin/b\nc\nA\n");
  const auto& run = std::get<RunStep>(program.stages[0].steps[0].action);
  EXPECT_THAT(run.command, ElementsAre("/bin/sh", "-c", "/dev/pipes/A"));
  EXPECT_EQ(run.script, (InlineFile{"A", "#!/bin/b\nc\n", false}));
}

TEST(Run, has_complete_mounts) {
  const Evaluation evaluation = evaluated(
      "FROM a AS one\nFROM b\nWORKDIR /w\nARG T=t\n"
      "RUN --mount=from=One,target=/m --mount=type=cache,target=$T --mount=type=secret,id=x/s "
      "--mount=type=bind,from=i:1,target=/n --mount=type=ssh c\n");
  const auto& mounts = std::get<RunStep>(evaluation.stages[1].steps[2].action).mounts;
  ASSERT_THAT(mounts, SizeIs(5));
  EXPECT_EQ(shown(mounts[0].from), "stage 0");
  EXPECT_EQ(mounts[1].mount.target, "/w/t");
  EXPECT_EQ(mounts[1].mount.id, "t");
  EXPECT_EQ(mounts[2].mount.target, "/run/secrets/s");
  EXPECT_EQ(shown(mounts[3].from), "i:1");
  EXPECT_EQ(mounts[4].mount.id, "default");
}

std::vector<std::size_t> stages_of(std::string_view text, const std::string& target) {
  BuildInputs inputs;
  inputs.target = target;
  std::vector<std::size_t> out;
  for (const EvaluatedStage& stage : evaluated(text, inputs).stages) {
    out.push_back(stage.index);
  }
  return out;
}

TEST(Stages, are_those_that_the_target_needs) {
  constexpr std::string_view k_text =
      "FROM a AS base\nFROM base AS unused\nRUN ${x!}\nFROM base AS tools\n"
      "FROM scratch AS app\nCOPY --from=TOOLS /x /x\nFROM app\nRUN --mount=from=base,target=/b c\n";
  EXPECT_THAT(stages_of(k_text, ""), ElementsAre(0, 2, 3, 4));
  EXPECT_THAT(stages_of(k_text, "App"), ElementsAre(0, 2, 3));
  EXPECT_THAT(stages_of(k_text, "base"), ElementsAre(0));
}

TEST(Stages, may_be_copied_from_by_number) {
  EXPECT_THAT(
      steps_of(evaluated("FROM a\nFROM b\nCOPY --from=0 x y\n")),
      ElementsAre("COPY /x to /y from stage 0"));
}

TEST(Stages, take_over_everything_from_the_stage_that_they_start_from) {
  EXPECT_THAT(
      steps_of(evaluated(
          "FROM a AS b\nENV X=1\nARG X=2 Y=3\nUSER u\nWORKDIR /w\nSHELL [\"s\"]\nFROM b\nRUN c\n")),
      ElementsAre("RUN s|c in /w by 'u' with X=1 Y=3"));
}

TEST(Base, gives_its_configuration_and_its_triggers) {
  const Evaluation evaluation = evaluated(
      "FROM a AS x\nFROM b:$V\nRUN c $E\nENTRYPOINT [\"e\"]\n",
      {},
      [](const std::string& image, const oci::Platform& platform) -> std::optional<ImageConfig> {
        if (image != "b:") {
          return std::nullopt;
        }
        EXPECT_EQ(platform.to_string(), "linux/amd64");
        ImageConfig config;
        config.environment = {{"PATH", "/p"}, {"E", "1"}};
        config.user = "u";
        config.directory = "/w";
        config.shell = {"s", "-c"};
        config.cmd = {"old"};
        config.triggers = {"COPY --from=x y .", "ENV E=2"};
        return config;
      });
  EXPECT_THAT(
      steps_of(evaluation),
      ElementsAre(
          "COPY /y to /w/ from stage 0",
          "ENV|E|2",
          "RUN s|-c|c $E in /w by 'u' with E=2 PATH=/p",
          "ENTRYPOINT|e"));
  ASSERT_THAT(evaluation.stages, SizeIs(2));
  const EvaluatedStage& last = evaluation.stages[1];
  EXPECT_TRUE(last.steps[0].is_trigger && !last.steps[2].is_trigger);
  EXPECT_EQ(last.steps[0].at, (SourcePosition{"Dockerfile", 2, 1}));
  EXPECT_EQ(last.config.cmd, std::nullopt);
  EXPECT_THAT(last.config.triggers, IsEmpty());
}

TEST(Base, that_is_a_stage_gives_its_triggers_once) {
  EXPECT_THAT(
      steps_of(evaluated("FROM a AS b\nONBUILD RUN [\"c\"]\nFROM b AS d\nFROM d\n")), IsEmpty());
  EXPECT_THAT(
      steps_of(evaluated("FROM a AS b\nONBUILD RUN [\"c\"]\nFROM b\n")),
      ElementsAre("RUN c in / by '' with"));
}

TEST(Config, holds_what_the_image_will_say) {
  const Evaluation evaluation = evaluated(
      "FROM scratch\nLABEL a=b c=$PATH\nEXPOSE 80 ${P:-90-91/UDP} 1:2\nVOLUME /v\nSTOPSIGNAL "
      "sigterm\n"
      "CMD x $y\nHEALTHCHECK NONE\nMAINTAINER me\nONBUILD RUN t\nENV A=1 A=2\n");
  ImageConfig expected;
  expected.environment = {{"PATH", std::string(k_path)}, {"A", "2"}};
  expected.directory = "/";
  expected.labels = {{"a", "b"}, {"c", std::string(k_path)}};
  expected.ports = {"80/tcp", "90/udp", "91/udp", "2/tcp"};
  expected.volumes = {"/v"};
  expected.stop_signal = "sigterm";
  expected.cmd = {"/bin/sh", "-c", "x $y"};
  expected.healthcheck = Healthcheck{.test = {"NONE"}};
  expected.author = "me";
  expected.triggers = {"RUN t"};
  EXPECT_EQ(evaluation.stages[0].config, expected);
}

}  // namespace
}  // namespace freshet::dockerfile
