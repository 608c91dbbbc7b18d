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
  EXPECT_EQ(make_image_key(some_inputs()), "7e5519bdd29a45bcd338e0b825a5e6497cbdc269");
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

dockerfile::Evaluation evaluated(const std::string& dockerfile, std::string target = "") {
  dockerfile::BuildInputs inputs;
  inputs.target = std::move(target);
  return evaluate(
      dockerfile::parse(dockerfile), inputs, [](const auto&, const auto&) { return std::nullopt; });
}

std::string open_end_of(const std::string& line) {
  return why_open_ended(evaluated("FROM scratch\nARG URL=https://example.com/x JAR=a\n" + line));
}

TEST(OpenEnded, is_a_build_that_adds_what_may_change_elsewhere) {
  EXPECT_EQ(
      open_end_of("ADD https://example.com/x.tar /\n"),
      "line 3 adds 'https://example.com/x.tar', which may change elsewhere: give it a --checksum, "
      "or COPY it");
  for (const char* line :
       {"ADD [\"https://example.com/x\", \"/\"]",
        "ADD --chown=1 a https://example.com/x /",
        "ADD git@example.com:a/b.git /src",
        "ADD $URL /x",
        "ADD \"${URL}\" /x",
        "add \\\n  ssh://git@example.com/a.git /x"}) {
    EXPECT_NE(open_end_of(line), "") << line;
  }
}

TEST(OpenEnded, is_told_without_logins_and_signatures) {
  EXPECT_EQ(
      open_end_of("ARG T=s3cret\nADD https://user:$T@example.com/a@b.tar?signature=$T#$T /\n"),
      "line 4 adds 'https://example.com/a@b.tar', which may change elsewhere: give it a "
      "--checksum, or COPY it");
}

TEST(OpenEnded, is_no_build_whose_inputs_are_all_here_or_pinned) {
  const std::string digest(64, '0');
  for (const std::string& line :
       {std::string("ADD x.tar /"),
        std::string("ADD target/${JAR} /app.jar"),
        "ADD --checksum=sha256:" + digest + " https://example.com/x /",
        std::string("RUN curl https://example.com"),
        std::string("ONBUILD ADD https://example.com/x /"),
        std::string("LABEL url=https://example.com")}) {
    EXPECT_EQ(open_end_of(line), "") << line;
  }
}

TEST(OpenEnded, is_not_what_a_stage_does_that_the_target_does_not_need) {
  const std::string text = "FROM scratch AS a\nADD https://example.com/x /\nFROM scratch AS b\n";
  EXPECT_EQ(why_open_ended(evaluated(text, "b")), "");
  EXPECT_NE(why_open_ended(evaluated(text, "a")), "");
}

TEST(FindImages, names_what_needed_stages_start_copy_and_mount_from) {
  const std::string text =
      "ARG TAG=3\nFROM alpine:$TAG AS base\nFROM debian AS unused\nFROM base\n"
      "COPY --from=busybox /a /\nCOPY --from=base /b /\n"
      "RUN --mount=type=bind,\"from=r.io/tools\",target=/t --mount=from=alpine:3,target=/u make\n";
  EXPECT_EQ(
      find_images(evaluated(text)),
      (std::vector<std::string>{"alpine:3", "busybox", "r.io/tools"}));
}

}  // namespace
}  // namespace freshet::cache
