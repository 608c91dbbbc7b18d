// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/yaml/context_checks.hpp"

#include "freshet/pipeline/yaml/testing/findings_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> check(
    const std::string& steps, const std::vector<std::string>& known, bool has_default) {
  ParsedPipeline parsed = parse_pipeline("version: '1.0'\nsteps:\n" + steps, "p.yml");
  EXPECT_TRUE(parsed.pipeline) << render(parsed.diagnostics, steps);
  Diagnostics diagnostics;
  check_registries(*parsed.pipeline, known, has_default, diagnostics);
  return testing::to_texts(diagnostics);
}

std::string build(const std::string& field) {
  return "  b:\n    type: build\n    image_name: app\n    " + field + "\n";
}

std::string push(const std::string& field) {
  return "  p:\n    type: push\n    candidate: app\n    " + field + "\n";
}

TEST(CheckRegistries, known_names_and_variables_pass) {
  EXPECT_THAT(check(build("registry: local"), {"local"}, true), IsEmpty());
  EXPECT_THAT(check(push("registry: my.registry"), {"my.registry"}, true), IsEmpty());
  EXPECT_THAT(check(push("registry: ${{REGISTRY}}"), {"local"}, true), IsEmpty());
  EXPECT_THAT(check(push("registry: prod-${{ZONE}}"), {"local"}, true), IsEmpty());
  EXPECT_THAT(check("  f:\n    image: alpine\n", {}, false), IsEmpty());
}

TEST(CheckRegistries, an_unknown_name_is_an_error_with_the_nearest_known_one) {
  EXPECT_THAT(
      check(build("registry: dokcerhub") + push("registry: nowhere"), {"dockerhub", "gcr"}, true),
      ElementsAre(
          "6:15 error: registry 'dokcerhub' does not exist (did you mean 'dockerhub'?)",
          "10:15 error: registry 'nowhere' does not exist (connect it with 'freshet registry "
          "add')"));
}

TEST(CheckRegistries, a_web_address_is_not_supported_yet) {
  const std::string message =
      " is a web address, inline credentials are not supported yet (connect it with 'freshet "
      "registry add' and write the integration's name)";
  EXPECT_THAT(
      check(push("registry: r.example.com"), {"local"}, true),
      ElementsAre("6:15 error: 'r.example.com'" + message));
  EXPECT_THAT(
      check(push("registry: localhost:5000"), {}, false),
      ElementsAre("6:15 error: 'localhost:5000'" + message));
}

TEST(CheckRegistries, pushing_needs_a_registry) {
  const std::string expected =
      "3:3 error: step 'p' pushes an image, but no registry is connected (connect one with "
      "'freshet registry add')";
  EXPECT_THAT(check(push("tag: v1"), {}, false), ElementsAre(expected));
  EXPECT_THAT(check(push("registry: local"), {}, false), ElementsAre(expected));
}

TEST(CheckRegistries, a_push_that_leaves_the_choice_among_several_is_warned_of) {
  EXPECT_THAT(check(push("tag: v1"), {"one"}, false), IsEmpty());
  EXPECT_THAT(
      check(push("tag: v1"), {"one", "two"}, true),
      ElementsAre(
          "3:3 warning: step 'p' names no registry, it pushes to the default one (connected "
          "are one, two)"));
}

TEST(CheckRegistries, a_build_that_will_not_be_pushed_is_warned_of) {
  EXPECT_THAT(check(build("tag: v1"), {"one"}, true), IsEmpty());
  EXPECT_THAT(check(build("disable_push: true"), {}, false), IsEmpty());
  EXPECT_THAT(
      check(build("tag: v1"), {"one"}, false),
      ElementsAre(
          "3:3 warning: the image of step 'b' will not be pushed, no default registry is set "
          "(name a 'registry', or set a default with 'freshet registry set-default')"));
}

}  // namespace
}  // namespace freshet::pipeline
