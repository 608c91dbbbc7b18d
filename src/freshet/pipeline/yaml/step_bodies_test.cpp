// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/yaml/step_bodies.hpp"

#include "freshet/base/text.hpp"
#include "freshet/pipeline/yaml/testing/findings_text.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// The findings about one step; its fields start on line 4, in column 5.
std::vector<std::string> findings_of(const std::string& fields) {
  std::string text = "version: '1.0'\nsteps:\n  s:\n";
  for (const std::string& line : split(fields, '\n')) {
    text += "    " + line + "\n";
  }
  return testing::to_texts(parse_pipeline(text, "p.yml").diagnostics);
}

TEST(Fields, required_ones_are_named) {
  EXPECT_THAT(findings_of("title: x"), ElementsAre("3:3 error: 'image' is required"));
  EXPECT_THAT(findings_of("type: build"), ElementsAre("3:3 error: 'image_name' is required"));
  EXPECT_THAT(findings_of("type: push"), ElementsAre("3:3 error: 'candidate' is required"));
  EXPECT_THAT(findings_of("type: git-clone"), ElementsAre("3:3 error: 'repo' is required"));
}

TEST(Fields, a_string_must_be_one_in_yaml_too) {
  const std::string build = "type: build\nimage_name: x\n";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"tag: 1.0", "6:10 error: 'tag' must be a string (put it in quotes: '1.0')"},
      {"tag: true", "6:10 error: 'tag' must be a string (put it in quotes: 'true')"},
      {"tag: 2020-01-01", "6:10 error: 'tag' must be a string (put it in quotes: '2020-01-01')"},
      {"tag:", "6:5 error: 'tag' must be a string"},
      {"tag: ''", "6:10 error: 'tag' must not be empty"},
      {"tag: [x]", "6:10 error: 'tag' must be a string"},
      {"tag: {a: b}",
       "6:10 error: 'tag' must be a string (text with ': ' in it, or that starts with '{', must be "
       "put in quotes)"},
      {"title: 7", "6:12 error: 'title' must be a string (put it in quotes: '7')"},
      {"registry: 1", "6:15 error: 'registry' must be a string (put it in quotes: '1')"},
  };
  for (const auto& [field, expected] : cases) {
    EXPECT_THAT(findings_of(build + field), ElementsAre(expected)) << field;
  }
  EXPECT_THAT(findings_of(build + "tag: ${{CF_SHORT_REVISION}}"), IsEmpty());
}

TEST(Fields, every_item_of_a_list_is_checked) {
  EXPECT_THAT(
      findings_of("image: x\ncommands:\n- ls\n- 1\n-\n- echo a: b\n- ''"),
      ElementsAre(
          "7:7 error: 'commands[1]' must be a string (put it in quotes: '1')",
          "8:5 error: 'commands[2]' must be a string",
          "9:7 error: 'commands[3]' must be a string (text with ': ' in it, or that starts with "
          "'{', "
          "must be put in quotes)",
          "10:7 error: 'commands[4]' must not be empty"));
  EXPECT_THAT(
      findings_of("image: x\ncommands: make"),
      ElementsAre(
          "5:15 error: 'commands' must be a list (start each entry on a line of its own with "
          "'- ')"));
  EXPECT_THAT(
      findings_of("image: x\ncommands:"), ElementsAre("5:5 error: 'commands' must be a list"));
}

TEST(Fields, environment_and_build_arguments_are_assignments) {
  EXPECT_THAT(
      findings_of("image: x\nenvironment:\n- A=\n- A\n- =b\n- ${{LINE}}\n- ${{NAME}}=1\n- a: b"),
      ElementsAre(
          "7:7 error: an entry of 'environment' must have the form KEY=value",
          "8:7 error: an entry of 'environment' must have the form KEY=value",
          "11:7 error: 'environment[5]' must be a string (text with ': ' in it, or that starts "
          "with "
          "'{', must be put in quotes)"));
  EXPECT_THAT(
      findings_of("image: x\nenvironment:\n  A: b"),
      ElementsAre("6:7 error: 'environment' must be a list (start each entry on a line of its own "
                  "with '- ')"));
  EXPECT_THAT(
      findings_of("type: build\nimage_name: x\nbuild_arguments: [pull]"),
      ElementsAre("6:23 error: an entry of 'build_arguments' must have the form KEY=value"));
}

TEST(Fields, booleans_have_their_forms) {
  for (const std::string value :
       {"true",
        "False",
        "'TRUE'",
        "yes",
        "\"No\"",
        "on",
        "OFF",
        "1",
        "0",
        "'1'",
        "${{X}}",
        "\"${{A}}${{B}}\""}) {
    EXPECT_THAT(findings_of("type: build\nimage_name: x\nno_cache: " + value), IsEmpty()) << value;
  }
  for (const std::string value : {"maybe", "''", "[x]", "{a: b}", "2", "x${{X}}", "${{X}}x"}) {
    EXPECT_THAT(
        findings_of("type: build\nimage_name: x\nno_cache: " + value),
        ElementsAre("6:15 error: 'no_cache' must be a boolean (write true or false, or one "
                    "variable: ${{NAME}})"))
        << value;
  }
  EXPECT_THAT(
      findings_of("type: build\nimage_name: x\nbuildkit: maybe\ndisable_push:"),
      ElementsAre(
          "6:15 error: 'buildkit' must be a boolean (write true or false, or one variable: "
          "${{NAME}})",
          "7:5 error: 'disable_push' must be a boolean (write true or false, or one variable: "
          "${{NAME}})"));
}

TEST(Fields, depth_is_a_whole_number) {
  for (const std::string value : {"1", "'50'", "0x10", "2.0"}) {
    EXPECT_THAT(findings_of("type: git-clone\nrepo: a/b\ndepth: " + value), IsEmpty()) << value;
  }
  for (const std::string value :
       {"0", "-1", "1.5", "many", "${{X}}", "[1]", ".inf", "99999999999"}) {
    EXPECT_THAT(
        findings_of("type: git-clone\nrepo: a/b\ndepth: " + value),
        ElementsAre("6:12 error: 'depth' must be a whole number of at least 1"))
        << value;
  }
}

TEST(Fields, choices_are_listed) {
  EXPECT_THAT(
      findings_of("image: x\nshell: zsh"),
      ElementsAre("5:12 error: 'shell' must be one of [sh, bash]"));
  EXPECT_THAT(
      findings_of("type: build\nimage_name: x\ntag_policy: Original"),
      ElementsAre("6:17 error: 'tag_policy' must be one of [original, lowercase]"));
}

TEST(GitClone, other_integrations_are_not_supported_yet) {
  EXPECT_THAT(
      findings_of("type: git-clone\nrepo: a/b\ngit: github\nuse_proxy: true"),
      ElementsAre(
          "6:10 error: git integration 'github' is not supported yet (leave 'git' out and give "
          "'repo' as a URL)",
          "7:5 error: 'use_proxy' is not supported yet"));
}

TEST(Build, an_inline_dockerfile_has_only_content) {
  const std::string build = "type: build\nimage_name: x\ndockerfile:\n";
  EXPECT_THAT(findings_of(build + "  content: FROM scratch"), IsEmpty());
  EXPECT_THAT(
      findings_of(build + "  contents: FROM scratch"),
      ElementsAre(
          "6:5 error: 'dockerfile.content' is required",
          "7:7 error: 'dockerfile.contents' is not allowed (did you mean 'content'?)"));
  EXPECT_THAT(
      findings_of(build + "  content: 1"),
      ElementsAre("7:16 error: 'dockerfile.content' must be a string (put it in quotes: '1')"));
}

TEST(Build, only_the_own_builder_is_a_provider) {
  const std::string build = "type: build\nimage_name: x\n";
  EXPECT_THAT(findings_of(build + "provider: {type: cf}"), IsEmpty());
  EXPECT_THAT(
      findings_of(build + "provider: {type: gcb, arguments: {cache: {repo: x}}}"),
      ElementsAre("6:22 error: build provider 'gcb' is not supported yet"));
  EXPECT_THAT(
      findings_of(build + "provider: {type: docker, timeout: 1}"),
      ElementsAre(
          "6:22 error: 'provider.type' must be one of [cf, gcb]",
          "6:30 error: 'provider.timeout' is not allowed"));
  EXPECT_THAT(
      findings_of(build + "provider: cf"),
      ElementsAre("6:15 error: 'provider' must be a map (such as: {type: cf})"));
}

TEST(Build, contexts_are_a_list_and_elsewhere_one_text) {
  EXPECT_THAT(
      findings_of("type: build\nimage_name: x\nregistry_contexts: a\nregistry_context: b"),
      ElementsAre(
          "6:24 error: 'registry_contexts' must be a list (start each entry on a line of its own "
          "with '- ')",
          "7:5 error: 'registry_context' is not allowed (did you mean 'registry_contexts'?)"));
  EXPECT_THAT(
      findings_of("image: x\nregistry_contexts: [a]\nregistry_context: [b]"),
      ElementsAre(
          "5:5 error: 'registry_contexts' is not allowed (did you mean 'registry_context'?)",
          "6:23 error: 'registry_context' must be a string"));
}

TEST(Push, inline_credentials_have_both_parts) {
  const std::string push = "type: push\ncandidate: x\n";
  EXPECT_THAT(findings_of(push + "credentials: {username: a, password: b}"), IsEmpty());
  EXPECT_THAT(
      findings_of(push + "credentials: {username: a, passwort: b}"),
      ElementsAre(
          "6:5 error: 'credentials.password' is required",
          "6:32 error: 'credentials.passwort' is not allowed (did you mean 'password'?)"));
  EXPECT_THAT(
      findings_of(push + "credentials: secret"),
      ElementsAre(
          "6:18 error: 'credentials' must be a map (it has a 'username' and a 'password')"));
  EXPECT_THAT(
      findings_of(push + "credentials: {username: 1, password: ''}"),
      ElementsAre(
          "6:29 error: 'credentials.username' must be a string (put it in quotes: '1')",
          "6:42 error: 'credentials.password' must not be empty"));
}

TEST(Push, providers_are_listed_and_durations_are_numbers) {
  const std::string push = "type: push\ncandidate: x\n";
  for (const std::string provider : {"docker", "standard", "ecr"}) {
    EXPECT_THAT(findings_of(push + "provider: " + provider), IsEmpty());
  }
  EXPECT_THAT(
      findings_of(push + "provider: gcr\naws_duration_seconds: long\nregion: 1"),
      ElementsAre(
          "6:15 error: 'provider' must be one of [docker, standard, ecr]",
          "7:27 error: 'aws_duration_seconds' must be a whole number of at least 1",
          "8:13 error: 'region' must be a string (put it in quotes: '1')"));
  EXPECT_THAT(findings_of(push + "aws_duration_seconds: '900'"), IsEmpty());
}

TEST(Freestyle, commands_exclude_cmd_and_cmd_excludes_shell) {
  EXPECT_THAT(
      findings_of("image: x\ncmd: [a]\ncommands: [b]\nshell: sh"),
      ElementsAre(
          "6:5 error: 'commands' cannot be used together with 'cmd'",
          "7:5 error: 'shell' cannot be used together with 'cmd'"));
  EXPECT_THAT(findings_of("image: x\nentry_point: [a]\ncommands: [b]\nshell: sh"), IsEmpty());
  EXPECT_THAT(
      findings_of("image: x\ncmd: {a: b}\nentry_point: 1"),
      ElementsAre(
          "5:10 error: 'cmd' must be a string or a list of strings (text with ': ' in it, or that "
          "starts with '{', must be put in quotes)",
          "6:18 error: 'entry_point' must be a string or a list of strings (put it in quotes: "
          "'1')"));
}

TEST(Fields, what_the_language_has_and_we_do_not_is_said) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases = {
      {"image: x",
       {"when",
        "retry",
        "timeout",
        "fail_fast",
        "strict_fail_fast",
        "hooks",
        "on_success",
        "on_fail",
        "on_finish",
        "scale",
        "matrix",
        "env",
        "debug",
        "docker_machine",
        "volumes",
        "services"}},
      {"type: git-clone\nrepo: a/b",
       {"exclude_blobs", "skip_tags_on_update", "credentials", "when"}},
      {"type: build\nimage_name: x",
       {"secrets",
        "ssh",
        "buildx",
        "platform",
        "squash",
        "cosign",
        "cache_from",
        "cache_to",
        "metadata",
        "annotations",
        "progress"}},
      {"type: push\ncandidate: x", {"scale", "retry"}},
  };
  for (const auto& [step, keys] : cases) {
    const std::size_t line = 5 + split(step, '\n').size() - 1;
    for (const std::string& key : keys) {
      EXPECT_THAT(
          findings_of(fmt::format("{}\n{}: x", step, key)),
          ElementsAre(fmt::format("{}:5 error: '{}' is not supported yet", line, key)));
    }
  }
}

TEST(Fields, what_the_language_does_not_have_is_not_allowed) {
  EXPECT_THAT(
      findings_of("type: build\nimage_name: x\nregsitry: y\nxyzzy_plugh: 1\nvolumes: []"),
      ElementsAre(
          "6:5 error: 'regsitry' is not allowed (did you mean 'registry'?)",
          "7:5 error: 'xyzzy_plugh' is not allowed",
          "8:5 error: 'volumes' is not allowed"));
  EXPECT_THAT(
      findings_of("type: push\ncandidate: x\nworking_directory: y"),
      ElementsAre("6:5 error: 'working_directory' is not allowed"));
}

}  // namespace
}  // namespace freshet::pipeline
