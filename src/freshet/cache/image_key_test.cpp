// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/image_key.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <random>
#include <set>

namespace freshet::cache {
namespace {

using ::testing::MatchesRegex;

ImageInputs some_inputs() {
  ImageInputs inputs;
  inputs.dockerfile = "FROM alpine\nCOPY . /app\n";
  inputs.context = "sha256:11";
  inputs.build_arguments = {{"VERSION", "1"}, {"MODE", "fast"}};
  inputs.target = "app";
  inputs.platform = "linux/amd64";
  inputs.engine = "docker";
  inputs.images = {{"alpine", "sha256:22"}};
  inputs.secret_ids = {"npm"};
  inputs.ssh_ids = {"default"};
  return inputs;
}

using Change = std::function<void(ImageInputs&)>;

const std::vector<std::pair<std::string, Change>> k_changes{
    {"Dockerfile", [](ImageInputs& in) { in.dockerfile += "\n"; }},
    {"context", [](ImageInputs& in) { in.context = "sha256:12"; }},
    {"argument's value", [](ImageInputs& in) { in.build_arguments[0].second = "2"; }},
    {"argument's name", [](ImageInputs& in) { in.build_arguments[0].first = "VERSIO"; }},
    {"new argument", [](ImageInputs& in) { in.build_arguments.emplace_back("A", ""); }},
    {"argument less", [](ImageInputs& in) { in.build_arguments.pop_back(); }},
    {"name and value cut elsewhere",
     [](ImageInputs& in) {
       in.build_arguments[1] = {"MODEf", "ast"};
     }},
    {"target", [](ImageInputs& in) { in.target = "other"; }},
    {"no target", [](ImageInputs& in) { in.target.clear(); }},
    {"platform", [](ImageInputs& in) { in.platform = "linux/arm64"; }},
    {"engine", [](ImageInputs& in) { in.engine = "other"; }},
    {"digest of a base image", [](ImageInputs& in) { in.images["alpine"] = "sha256:23"; }},
    {"new image", [](ImageInputs& in) { in.images["tools"] = "sha256:24"; }},
    {"squash", [](ImageInputs& in) { in.squashes = true; }},
    {"id of a secret", [](ImageInputs& in) { in.secret_ids[0] = "yarn"; }},
    {"secret as ssh",
     [](ImageInputs& in) {
       in.ssh_ids.push_back("npm");
       in.secret_ids.clear();
     }},
    {"id of ssh", [](ImageInputs& in) { in.ssh_ids.clear(); }},
};

TEST(ImageKey, can_be_a_tag) {
  EXPECT_THAT(make_image_key(some_inputs()), MatchesRegex("[0-9a-f]{40}"));
}

TEST(ImageKey, stays_the_same_for_ever) {
  EXPECT_EQ(make_image_key(some_inputs()), "774e2ee18e492e56c4b9ce17c151fd4bbdb7f0dc");
}

TEST(ImageKey, is_another_one_after_any_change_of_an_input) {
  std::set<std::string> keys{make_image_key(some_inputs())};
  for (const auto& [name, change] : k_changes) {
    ImageInputs inputs = some_inputs();
    change(inputs);
    EXPECT_TRUE(keys.insert(make_image_key(inputs)).second) << name;
  }
}

TEST(ImageKey, is_another_one_after_any_change_of_other_changed_inputs) {
  std::mt19937 chance(1);
  for (int round = 0; round < 500; ++round) {
    ImageInputs inputs = some_inputs();
    inputs.dockerfile += std::to_string(chance());
    inputs.build_arguments.emplace_back("X" + std::to_string(chance() % 10), "1:2");
    const auto& [name, change] = k_changes[chance() % k_changes.size()];
    ImageInputs changed = inputs;
    change(changed);
    EXPECT_NE(make_image_key(inputs), make_image_key(changed)) << name;
  }
}

TEST(ImageKey, does_not_depend_on_the_order_of_arguments_and_ids) {
  ImageInputs inputs = some_inputs();
  inputs.secret_ids = {"a", "b"};
  ImageInputs turned = inputs;
  std::swap(turned.build_arguments[0], turned.build_arguments[1]);
  std::swap(turned.secret_ids[0], turned.secret_ids[1]);
  EXPECT_EQ(make_image_key(inputs), make_image_key(turned));
}

TEST(ImageKey, takes_the_last_of_two_arguments_of_one_name) {
  ImageInputs once = some_inputs();
  ImageInputs twice = some_inputs();
  twice.build_arguments.insert(twice.build_arguments.begin(), {"VERSION", "0"});
  EXPECT_EQ(make_image_key(once), make_image_key(twice));
}

TEST(OpenEnded, is_a_dockerfile_that_adds_what_may_change_elsewhere) {
  EXPECT_EQ(
      why_open_ended("FROM scratch\nADD https://example.com/x.tar /\n"),
      "line 2 adds 'https://example.com/x.tar', which may change elsewhere: give it a --checksum, "
      "or COPY it");
  for (const char* line :
       {"ADD [\"https://example.com/x\", \"/\"]",
        "ADD --chown=1 a https://example.com/x /",
        "ADD git@example.com:a/b.git /src",
        "ADD github.com/a/b /src",
        "ADD $URL /x",
        "ADD \"${URL}\" /x",
        "ADD h$REST /x",
        "add \\\n  ssh://git@example.com/a /x"}) {
    EXPECT_NE(why_open_ended(std::string("FROM scratch\n") + line), "") << line;
  }
}

TEST(OpenEnded, is_no_dockerfile_whose_inputs_are_all_here_or_pinned) {
  for (const char* line :
       {"ADD x.tar /",
        "ADD target/${JAR} /app.jar",
        "ADD --checksum=sha256:00 https://example.com/x /",
        "COPY $ANY /x",
        "RUN curl https://example.com",
        "ONBUILD ADD https://example.com/x /",
        "LABEL url=https://example.com"}) {
    EXPECT_EQ(why_open_ended(std::string("FROM scratch\n") + line), "") << line;
  }
}

TEST(Frontend, is_named_by_the_syntax_directive) {
  EXPECT_EQ(find_frontend("# syntax=docker/dockerfile:1\nFROM x"), "docker/dockerfile:1");
  EXPECT_EQ(find_frontend("\xEF\xBB\xBF#SYNTAX = a/b:c \r\nFROM x"), "a/b:c");
  EXPECT_EQ(find_frontend("#!/usr/bin/env x\n# escape=`\n# syntax=a/b\nFROM x"), "a/b");
  EXPECT_EQ(find_frontend("// syntax=a/b\nFROM x"), "a/b");
  EXPECT_EQ(find_frontend("FROM x\n# syntax=a/b\n"), "");
  EXPECT_EQ(find_frontend("# the syntax of this\nFROM x\n"), "");
  EXPECT_EQ(find_frontend(""), "");
}

}  // namespace
}  // namespace freshet::cache
