// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/yaml/pipeline.hpp"

#include "freshet/pipeline/yaml/testing/findings_text.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> findings_of(const std::string& text) {
  const ParsedPipeline parsed = parse_pipeline(text, "p.yml");
  EXPECT_NE(parsed.pipeline.has_value(), parsed.diagnostics.has_errors());
  return testing::to_texts(parsed.diagnostics);
}

Pipeline read(const std::string& text) {
  ParsedPipeline parsed = parse_pipeline(text, "p.yml");
  EXPECT_THAT(testing::to_texts(parsed.diagnostics), IsEmpty());
  return parsed.pipeline.value_or(Pipeline{});
}

std::vector<std::string> values(const std::vector<Text>& texts) {
  std::vector<std::string> out;
  out.reserve(texts.size());
  for (const Text& text : texts) {
    out.push_back(text.value);
  }
  return out;
}

TEST(ParsePipeline, reads_every_field_of_this_language) {
  const Pipeline pipeline = read(R"(version: "1.0"
stages: [get, make]
steps:
  main_clone:
    title: Cloning
    description: the sources
    stage: get
    type: git-clone
    repo: ann/app
    revision: ${{CF_BRANCH}}
    working_directory: src
    depth: '5'
    git: CF-default
  image:
    stage: make
    type: build
    image_name: ann/app
    tag: ${{CF_BRANCH_TAG_NORMALIZED}}
    tags: [v1, latest]
    tag_policy: original
    working_directory: ${{main_clone}}
    dockerfile: docker/Dockerfile
    build_arguments:
    - A=1
    - ${{MORE}}
    target: final
    no_cache: Yes
    no_cf_cache: 'true'
    registry: local
    disable_push: ${{DRY}}
    buildkit: true
  inline:
    type: build
    image_name: tool
    dockerfile:
      content: |
        FROM scratch
  push:
    type: push
    candidate: ${{image}}
    tag: v1
    tags: [v2]
    image_name: other/app
    registry: prod
  run:
    image: ${{image}}
    shell: bash
    commands: [echo hi]
    working_directory: IMAGE_WORK_DIR
    environment: [A=1]
    entry_point: /bin/true
  plain:
    type: freestyle
    image: alpine
    cmd: [-c, ls]
)");
  ASSERT_EQ(pipeline.steps.size(), 6u);
  EXPECT_EQ(pipeline.version, "1.0");
  EXPECT_THAT(pipeline.stages, ElementsAre("get", "make"));
  EXPECT_TRUE(uses_main_clone(pipeline));

  const Step& clone_step = pipeline.steps[0];
  EXPECT_EQ(clone_step.name, "main_clone");
  EXPECT_EQ(clone_step.at, (SourcePosition{"p.yml", 4, 3}));
  EXPECT_EQ(clone_step.title->value, "Cloning");
  EXPECT_EQ(clone_step.description->value, "the sources");
  EXPECT_EQ(clone_step.stage, "get");
  EXPECT_EQ(clone_step.type(), StepType::git_clone);
  const auto& clone = std::get<GitCloneStep>(clone_step.body);
  EXPECT_EQ(clone.repo.value, "ann/app");
  EXPECT_EQ(clone.revision->value, "${{CF_BRANCH}}");
  EXPECT_EQ(clone.revision->at, (SourcePosition{"p.yml", 10, 15}));
  EXPECT_EQ(clone.working_directory->value, "src");
  EXPECT_EQ(clone.depth, 5);

  const auto& image = std::get<BuildStep>(pipeline.steps[1].body);
  EXPECT_EQ(image.image_name.value, "ann/app");
  EXPECT_EQ(image.tag->value, "${{CF_BRANCH_TAG_NORMALIZED}}");
  EXPECT_THAT(values(image.tags), ElementsAre("v1", "latest"));
  EXPECT_EQ(image.tag_policy, TagPolicy::original);
  EXPECT_EQ(image.working_directory->value, "${{main_clone}}");
  EXPECT_EQ(image.dockerfile->value, "docker/Dockerfile");
  EXPECT_EQ(image.dockerfile_content, std::nullopt);
  EXPECT_THAT(values(image.build_arguments), ElementsAre("A=1", "${{MORE}}"));
  EXPECT_EQ(image.target->value, "final");
  EXPECT_TRUE(image.no_cache.constant);
  EXPECT_TRUE(image.no_cf_cache.constant);
  EXPECT_EQ(image.registry->value, "local");
  EXPECT_EQ(image.disable_push->expression->value, "${{DRY}}");

  const auto& inline_build = std::get<BuildStep>(pipeline.steps[2].body);
  EXPECT_EQ(inline_build.dockerfile_content->value, "FROM scratch\n");
  EXPECT_EQ(inline_build.dockerfile, std::nullopt);
  EXPECT_EQ(inline_build.tag_policy, TagPolicy::lowercase);
  EXPECT_FALSE(inline_build.no_cache.constant);
  EXPECT_FALSE(inline_build.no_cf_cache.constant);
  EXPECT_FALSE(inline_build.disable_push);

  const auto& push = std::get<PushStep>(pipeline.steps[3].body);
  EXPECT_EQ(push.candidate.value, "${{image}}");
  EXPECT_EQ(push.tag->value, "v1");
  EXPECT_THAT(values(push.tags), ElementsAre("v2"));
  EXPECT_EQ(push.image_name->value, "other/app");
  EXPECT_EQ(push.registry->value, "prod");

  EXPECT_EQ(pipeline.steps[4].type(), StepType::freestyle);
  const auto& run = std::get<FreestyleStep>(pipeline.steps[4].body);
  EXPECT_EQ(run.image.value, "${{image}}");
  EXPECT_EQ(run.shell, Shell::bash);
  EXPECT_THAT(values(run.commands), ElementsAre("echo hi"));
  EXPECT_EQ(run.working_directory->value, "IMAGE_WORK_DIR");
  EXPECT_THAT(values(run.environment), ElementsAre("A=1"));
  EXPECT_TRUE(run.entry_point->is_one_string);
  EXPECT_THAT(values(run.entry_point->words), ElementsAre("/bin/true"));

  const auto& plain = std::get<FreestyleStep>(pipeline.steps[5].body);
  EXPECT_EQ(plain.shell, Shell::sh);
  EXPECT_FALSE(plain.cmd->is_one_string);
  EXPECT_THAT(values(plain.cmd->words), ElementsAre("-c", "ls"));
}

TEST(ParsePipeline, type_names_are_those_of_the_language) {
  EXPECT_EQ(to_string(StepType::git_clone), "git-clone");
  EXPECT_EQ(to_string(StepType::build), "build");
  EXPECT_EQ(to_string(StepType::push), "push");
  EXPECT_EQ(to_string(StepType::freestyle), "freestyle");
}

TEST(ParsePipeline, takes_the_version_in_four_spellings) {
  for (const std::string version : {"1.0", "'1.0'", "1", "\"1\"", "1.00"}) {
    EXPECT_THAT(findings_of("version: " + version + "\nsteps: {}\n"), IsEmpty()) << version;
  }
}

TEST(ParsePipeline, refuses_other_versions) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"version: '2.0'\n", "1:10 error: version '2.0' is invalid, it must be '1.0'"},
      {"version: 1.1\n", "1:10 error: version '1.1' is invalid, it must be '1.0'"},
      {"version: '1.00'\n", "1:10 error: version '1.00' is invalid, it must be '1.0'"},
      {"version: ‘1.0’\n",
       "1:10 error: version '‘1.0’' is invalid, it must be '1.0' (use straight quotes: ' or \")"},
      {"version:\n", "1:1 error: 'version' must be '1.0'"},
      {"version: [1]\n", "1:10 error: 'version' must be '1.0'"},
      {"", "1:1 error: 'version' is required"},
  };
  for (const auto& [line, expected] : cases) {
    EXPECT_THAT(findings_of(line + "steps: {}\n"), ElementsAre(expected)) << line;
  }
}

TEST(ParsePipeline, refuses_a_file_that_is_no_map) {
  EXPECT_THAT(
      findings_of(""),
      ElementsAre("1:1 error: the file is empty (it starts with: version: '1.0')"));
  EXPECT_THAT(
      findings_of("- a\n"),
      ElementsAre("1:1 error: a pipeline must be a map with 'version' and 'steps' (it starts with: "
                  "version: '1.0')"));
}

TEST(ParsePipeline, checks_the_keys_at_the_top) {
  EXPECT_THAT(
      findings_of("version: '1.0'\nmode: parallel\nstage: [a]\nkind: x\nsteps: {}\nhooks: {}\n"),
      ElementsAre(
          "2:1 error: 'mode' is not supported yet",
          "3:1 error: 'stage' is not allowed (did you mean 'stages'?)",
          "4:1 error: 'kind' is not allowed",
          "6:1 error: 'hooks' is not supported yet"));
}

TEST(ParsePipeline, checks_steps_and_stages) {
  const std::string hint =
      " (each step is a name, a colon, and its fields indented on the lines below)";
  EXPECT_THAT(
      findings_of("version: '1.0'\nstages:\n"),
      ElementsAre("1:1 error: 'steps' is required", "2:1 error: 'stages' must be a list"));
  EXPECT_THAT(
      findings_of("version: '1.0'\nsteps:\n- a\n"),
      ElementsAre("3:1 error: 'steps' must be a map" + hint));
  EXPECT_THAT(
      findings_of("version: '1.0'\nsteps:\n"),
      ElementsAre("2:1 error: 'steps' must be a map" + hint));
  EXPECT_THAT(
      findings_of("version: '1.0'\nstages: [build, 1]\nsteps:\n  a: {image: x, stage: biuld}\n  b: "
                  "{image: x, stage: deploy}\n"),
      ElementsAre(
          "2:17 error: 'stages[1]' must be a string (put it in quotes: '1')",
          "4:24 error: 'stage' must be one of [build] (did you mean 'build'?)",
          "5:24 error: 'stage' must be one of [build] (add 'deploy' to 'stages' at the top of the "
          "file)"));
}

TEST(ParsePipeline, checks_the_names_of_steps) {
  const std::string longest(150, 'x');
  EXPECT_THAT(
      findings_of(
          "version: '1.0'\nsteps:\n  a.b: {image: x}\n  'c[0]': {image: x}\n  d e: {image: x}\n  d "
          "e: "
          "{image: x}\n  '': {image: x}\n  " +
          longest + ": {image: x}\n  " + longest + "y: {image: x}\n  n:\n"),
      ElementsAre(
          "3:3 error: step name 'a.b' must not contain . # $ [ ]",
          "4:3 error: step name 'c[0]' must not contain . # $ [ ]",
          "6:3 error: 'd e' is written twice (it stands on line 5 already)",
          "7:3 error: a step needs a name",
          "9:3 error: step name is 151 characters, the limit is 150",
          "10:3 error: step 'n' must be a map"));
}

TEST(ParsePipeline, says_which_step_types_are_not_supported_yet) {
  EXPECT_THAT(
      findings_of("version: '1.0'\nsteps:\n  a: {type: composition, x: 1}\n  b: {type: "
                  "slack-message-sender}\n  c: {type: biuld}\n  d: {type: 1}\n  e: {type: "
                  "'npm-publish:1.2.3'}\n"),
      ElementsAre(
          "3:13 error: step type 'composition' is not supported yet",
          "4:13 error: custom step type 'slack-message-sender' is not supported yet",
          "5:13 error: custom step type 'biuld' is not supported yet (did you mean 'build'?)",
          "6:13 error: 'type' must be a string",
          "7:13 error: custom step type 'npm-publish:1.2.3' is not supported yet"));
}

TEST(ParsePipeline, arguments_are_put_into_the_step_and_win) {
  const Pipeline pipeline = read(
      "version: '1.0'\nsteps:\n  a:\n    image: one\n    arguments:\n      image: two\n      "
      "commands: [ls]\n  b: {image: x, arguments: }\n");
  const auto& step = std::get<FreestyleStep>(pipeline.steps[0].body);
  EXPECT_EQ(step.image.value, "two");
  EXPECT_EQ(step.image.at, (SourcePosition{"p.yml", 6, 14}));
  EXPECT_THAT(values(step.commands), ElementsAre("ls"));
  EXPECT_THAT(
      findings_of("version: '1.0'\nsteps:\n  a: {image: x, arguments: [y]}\n"),
      ElementsAre("3:28 error: 'arguments' must be a map"));
}

TEST(ParsePipeline, renames_old_spellings) {
  const Pipeline pipeline = read(
      "version: '1.0'\nsteps:\n  a: {type: build, image-name: x, working-directory: d, "
      "build-arguments: [A=1], tag-policy: original}\n  b: {image: x, working-directory: d}\n");
  const auto& build = std::get<BuildStep>(pipeline.steps[0].body);
  EXPECT_EQ(build.image_name.value, "x");
  EXPECT_EQ(build.working_directory->value, "d");
  EXPECT_EQ(build.tag_policy, TagPolicy::original);
  EXPECT_EQ(std::get<FreestyleStep>(pipeline.steps[1].body).working_directory->value, "d");
}

TEST(ParsePipeline, an_old_and_a_new_spelling_do_not_go_together) {
  EXPECT_THAT(
      findings_of("version: '1.0'\nsteps:\n  a: {type: build, image-name: x, image_name: y}\n"),
      ElementsAre("3:20 error: cannot rename 'image-name' to 'image_name', which is there as well "
                  "(keep only 'image_name')"));
}

TEST(ParsePipeline, other_dashed_keys_are_unknown) {
  EXPECT_THAT(
      findings_of("version: '1.0'\nsteps:\n  a: {type: build, image_name: x, no-cache: true}\n  b: "
                  "{type: push, candidate: x, image-name: y, fail-fast: false}\n"),
      ElementsAre(
          "3:35 error: 'no-cache' is not allowed (did you mean 'no_cache'?)",
          "4:33 error: 'image-name' is not allowed (did you mean 'image_name'?)",
          "4:48 error: 'fail_fast' is not supported yet"));
}

TEST(ParsePipeline, capitals_in_an_image_name_are_warned_of) {
  const ParsedPipeline parsed = parse_pipeline(
      "version: '1.0'\nsteps:\n  a: {type: build, image_name: 'Ann/${{X}}/B${{Y}}App'}\n  b: "
      "{type: "
      "build, image_name: 'app/${{BRANCH}}'}\n",
      "p.yml");
  EXPECT_TRUE(parsed.pipeline);
  EXPECT_THAT(
      testing::to_texts(parsed.diagnostics),
      ElementsAre("3:32 warning: 'image_name' should be in lower case (write "
                  "'ann/${{X}}/B${{Y}}app')"));
}

TEST(ParsePipeline, findings_are_rendered_with_line_and_caret) {
  const std::string text = "version: '1.0'\nsteps:\n  a:\n    image: x\n    comands: [ls]\n";
  EXPECT_EQ(
      render(parse_pipeline(text, "codefresh.yml").diagnostics, text),
      "codefresh.yml:5:5: error: 'comands' is not allowed\n"
      "        comands: [ls]\n"
      "        ^\n"
      "    hint: did you mean 'commands'?\n");
}

TEST(UsesMainClone, asks_only_for_the_name) {
  EXPECT_FALSE(uses_main_clone(read("version: 1\nsteps: {clone: {type: git-clone, repo: a/b}}\n")));
  EXPECT_TRUE(uses_main_clone(read("version: 1\nsteps: {main_clone: {image: git}}\n")));
}

}  // namespace
}  // namespace freshet::pipeline
