// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/expressions/variables.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::pipeline {
namespace {

using testing::ElementsAre;
using Bare = StepOutputs::Bare;

TEST(Variables, the_nearest_source_wins) {
  Variables variables;
  variables.set(VariableSource::system, "CF_BRANCH", "master");
  EXPECT_EQ(variables.find("CF_BRANCH"), "master");
  variables.set(VariableSource::run, "CF_BRANCH", "mine");
  EXPECT_EQ(variables.find("CF_BRANCH"), "mine");
  variables.set(VariableSource::exported, "CF_BRANCH", "theirs");
  EXPECT_EQ(variables.find("CF_BRANCH"), "theirs");
  EXPECT_EQ(variables.find("cf_branch"), std::nullopt);
}

TEST(Variables, a_later_value_of_one_source_replaces_the_earlier) {
  Variables variables;
  variables.set_all(VariableSource::exported, {{"X", "1"}, {"X", "2"}});
  EXPECT_EQ(variables.find("X"), "2");
}

TEST(Variables, exports_win_over_the_environment_of_a_step_and_it_over_the_rest) {
  Variables variables;
  variables.set(VariableSource::system, "CI", "true");
  variables.set(VariableSource::run, "MODE", "run");
  variables.set(VariableSource::exported, "VERSION", "exported");
  EXPECT_THAT(
      variables.environment({"MODE=step", "VERSION=step", "URL=a=b", "=x", "nothing"}),
      ElementsAre(
          NamedValue("CI", "true"),
          NamedValue("MODE", "step"),
          NamedValue("URL", "a=b"),
          NamedValue("VERSION", "exported")));
}

TEST(StepOutputs, a_member_is_found_under_both_spellings) {
  StepOutputs outputs;
  outputs.set("build", "imageId", "sha256:1");
  outputs.set("approve", "authEntity.name", "ann");
  EXPECT_EQ(outputs.find("build.imageId", Bare::directory), "sha256:1");
  EXPECT_EQ(outputs.find("steps.build.imageId", Bare::directory), "sha256:1");
  EXPECT_EQ(outputs.find("steps.approve.authEntity.name", Bare::image), "ann");
  EXPECT_EQ(outputs.find("build.nothing", Bare::image), std::nullopt);
  EXPECT_EQ(outputs.find("other.imageId", Bare::image), std::nullopt);
}

TEST(StepOutputs, a_bare_step_is_its_image_or_its_directory) {
  StepOutputs outputs;
  outputs.set_image("build", "app@sha256:1");
  outputs.set_directory("build", "/codefresh/volume/app");
  EXPECT_EQ(outputs.find("build", Bare::image), "app@sha256:1");
  EXPECT_EQ(outputs.find("build", Bare::directory), "/codefresh/volume/app");
  EXPECT_EQ(outputs.find("build.workingDirectory", Bare::image), "/codefresh/volume/app");
}

TEST(StepOutputs, a_step_without_image_leaves_the_reference_in_the_text) {
  StepOutputs outputs;
  outputs.set_directory("clone", "/src");
  EXPECT_EQ(interpolate("${{clone}}/app", outputs.lookup(Bare::directory)), "/src/app");
  EXPECT_EQ(interpolate("${{clone}}", outputs.lookup(Bare::image)), "${{clone}}");
}

TEST(StepOutputs, a_step_may_be_named_steps) {
  StepOutputs outputs;
  outputs.set("steps", "result", "success");
  EXPECT_EQ(outputs.find("steps.result", Bare::image), "success");
  EXPECT_EQ(outputs.find("steps.steps.result", Bare::image), "success");
}

}  // namespace
}  // namespace freshet::pipeline
