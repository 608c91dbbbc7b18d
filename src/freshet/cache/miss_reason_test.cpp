// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/miss_reason.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <functional>

namespace freshet::cache {
namespace {

std::string unmasked(const std::string& text) {
  return text;
}

/// A build that can be changed.
struct Project {
  std::string text =
      "FROM tools AS builder\n"
      "ARG MODE=fast\n"
      "RUN make deps\n"
      "COPY src /src\n"
      "RUN make\n"
      "FROM alpine\n"
      "RUN apk add curl\n"
      "COPY --from=builder /app /app\n";
  dockerfile::BuildInputs inputs;
  BuildFacts facts{
      {{"src", "1", false, ""}, {"src/a", "1", false, ""}, {"src/b", "1", false, ""}},
      {{"tools", "sha256:1111111111111111"}, {"alpine", "sha256:2222222222222222"}},
      "this build"};

  KeyedBuild keyed() const {
    const dockerfile::File file = dockerfile::parse(text);
    const auto no_config = [](const std::string&, const oci::Platform&) { return std::nullopt; };
    return make_instruction_keys(dockerfile::evaluate(file, inputs, no_config), facts);
  }

  void replace(const std::string& old_text, const std::string& new_text) {
    const std::size_t place = text.find(old_text);
    ASSERT_NE(place, std::string::npos) << old_text;
    text.replace(place, old_text.size(), new_text);
  }
};

class Misses : public ::testing::Test {
 protected:
  /// Why `node` is missed after `change`.
  std::string why(
      std::size_t node,
      const std::function<void(Project&)>& change,
      bool is_offered_elsewhere = false) const {
    const RememberedBuild last = remember(Project().keyed(), unmasked);
    Project changed;
    change(changed);
    const KeyedBuild build = changed.keyed();
    Choice choice;
    choice.misses = {{node, is_offered_elsewhere}};
    const auto reasons = explain_misses(build, choice, remember(build, unmasked), &last);
    EXPECT_EQ(reasons.size(), 1U);
    EXPECT_EQ(reasons.at(0).node, node);
    return reasons.at(0).text;
  }
};

TEST_F(Misses, of_changed_text_say_what_it_was_and_is) {
  EXPECT_EQ(
      why(2, [](Project& now) { now.replace("RUN make\n", "RUN make all\n"); }),
      "text changed: RUN make -> RUN make all");
}

TEST_F(Misses, of_arguments_name_them) {
  EXPECT_EQ(
      why(0, [](Project& now) { now.inputs.arguments["MODE"] = "safe"; }),
      "argument changed: MODE");
  EXPECT_EQ(
      why(0, [](Project& now) { now.replace("ARG MODE=fast", "ARG MODE=safe OTHER=1"); }),
      "arguments changed: MODE, OTHER (new)");
}

TEST_F(Misses, of_files_name_them) {
  EXPECT_EQ(
      why(1, [](Project& now) { now.facts.context[1].state = "2"; }),
      "file changed: src/a (1 of 3)");
  EXPECT_EQ(
      why(1,
          [](Project& now) {
            now.facts.context[1] = {"src/aa", "1", false, ""};
            now.facts.context[2].state = "2";
          }),
      "files changed: src/a (gone), src/aa (new), src/b (3 of 3)");
}

TEST_F(Misses, of_many_files_name_ten_and_count_the_others) {
  EXPECT_EQ(
      why(1,
          [](Project& now) {
            for (int i = 10; i < 22; ++i) {
              now.facts.context.push_back({fmt::format("src/c{}", i), "1", false, ""});
            }
          }),
      "files changed: src/c10 (new), src/c11 (new), src/c12 (new), src/c13 (new), src/c14 (new), "
      "src/c15 (new), src/c16 (new), src/c17 (new), src/c18 (new), src/c19 (new) and 2 more (12 of "
      "15)");
}

TEST_F(Misses, of_moved_images_say_from_where_to_where) {
  EXPECT_EQ(
      why(0, [](Project& now) { now.facts.images["tools"] = "sha256:3333333333333333"; }),
      "image tools moved: sha256:111111111111 -> sha256:333333333333");
  EXPECT_EQ(
      why(0,
          [](Project& now) {
            now.replace("tools", "tools:2");
            now.facts.images["tools:2"] = "sha256:3333333333333333";
          }),
      "image tools -> tools:2");
  EXPECT_EQ(
      why(0, [](Project& now) { now.inputs.platform.architecture = "arm64"; }),
      "image tools is for another platform");
}

TEST_F(Misses, of_images_that_are_not_known_say_so) {
  EXPECT_EQ(
      why(0, [](Project& now) { now.facts.images.erase("tools"); }),
      "what tools is cannot be found out");
  EXPECT_EQ(
      why(1, [](Project& now) { now.replace("COPY src /src", "ADD https://example.com/x /src"); }),
      "what it adds, or what is before it, may be another every time");
}

TEST_F(Misses, of_what_a_changed_stage_made_name_the_stage) {
  EXPECT_EQ(
      why(4, [](Project& now) { now.facts.context[1].state = "2"; }), "stage builder changed");
}

TEST_F(Misses, of_what_an_instruction_finds_name_it) {
  EXPECT_EQ(
      why(0, [](Project& now) { now.replace("RUN make deps", "USER me\nRUN make deps"); }),
      "its user changed");
  EXPECT_EQ(
      why(0, [](Project& now) { now.replace("ARG MODE", "SHELL [\"bash\", \"-c\"]\nARG MODE"); }),
      "its shell changed");
}

TEST_F(Misses, of_unchanged_instructions_are_of_the_past_images) {
  EXPECT_EQ(why(0, [](Project&) {}), "no past image has it");
  EXPECT_EQ(
      why(
          0, [](Project&) {}, true),
      "only an image has it that is no source");
  EXPECT_EQ(
      why(2, [](Project& now) { now.facts.context[1].state = "2"; }),
      "no past image has it after what is before it now");
}

TEST_F(Misses, of_instructions_that_were_put_in_say_that_they_are_new) {
  EXPECT_EQ(
      why(1, [](Project& now) { now.replace("COPY src", "RUN first\nCOPY src"); }), "it is new");
  EXPECT_EQ(
      why(5, [](Project& now) { now.replace("/app /app\n", "/app /app\nRUN last\n"); }),
      "it is new");
}

TEST_F(Misses, without_a_last_build_are_of_the_past_images) {
  const KeyedBuild build = Project().keyed();
  Choice choice;
  choice.misses = {{3, false}};
  const auto reasons = explain_misses(build, choice, remember(build, unmasked), nullptr);
  ASSERT_EQ(reasons.size(), 1U);
  EXPECT_EQ(reasons[0].text, "no past image has it");
}

}  // namespace
}  // namespace freshet::cache
