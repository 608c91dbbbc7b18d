// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/past_build.hpp"

#include "freshet/dockerfile/evaluate.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace freshet::cache {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::SizeIs;

class PastBuild : public ::testing::Test {
 protected:
  explicit PastBuild(
      std::string_view text =
          "FROM tools AS builder\n"
          "RUN make\n"
          "FROM alpine\n"
          "LABEL a=b\n"
          "WORKDIR /app\n"
          "COPY --from=builder /made .\n"
          "RUN strip made\n")
      : file_(dockerfile::parse(text)) {
    const auto no_config = [](const std::string&, const oci::Platform&) { return std::nullopt; };
    build_ = make_instruction_keys(
        dockerfile::evaluate(file_, {}, no_config),
        {{}, {{"alpine", "sha256:11"}, {"tools", "sha256:22"}}, "this build"});
  }

  std::vector<std::string> described(const std::vector<VertexTime>& times) const {
    const auto known = describe_instructions(build_, file_.instructions, times);
    std::vector<std::string> out;
    for (const auto& instruction : known.value_or(std::vector<model::PastInstruction>())) {
      out.push_back(fmt::format(
          "{}{}",
          instruction.cost ? fmt::format("{}ms", instruction.cost->count()) : "cached",
          instruction.is_offered ? " offered" : ""));
    }
    return out;
  }

  /// The layers of a history that consists of `lines`, each of as many bytes as its place says.
  std::vector<std::string> layers(
      const std::vector<std::string>& lines, const std::vector<std::string>& diff_ids) const {
    auto known = *describe_instructions(build_, file_.instructions, {});
    std::vector<model::ImageLayer> history;
    for (const std::string& line : lines) {
      const bool has_files = line.starts_with("RUN") || line.starts_with("#");
      history.push_back({line, has_files ? 10 * (history.size() + 1) : 0, ""});
    }
    add_layers(known, build_, history, diff_ids);
    std::vector<std::string> out;
    for (const auto& instruction : known) {
      out.push_back(fmt::format("{}:{}", instruction.diff_id, instruction.size_bytes));
    }
    return out;
  }

  dockerfile::File file_;
  KeyedBuild build_;
};

TEST_F(PastBuild, knows_what_ran_and_for_how_long) {
  EXPECT_THAT(
      described(
          {{"[internal] load build context", 5ms},
           {"[builder 1/2] FROM docker.io/library/tools", 900ms},
           {"[builder 2/2] RUN make", 4321ms},
           {"[stage-1 2/4] WORKDIR /app", std::nullopt},
           {"[stage-1 3/4] COPY --from=builder /made .", 20ms},
           {"exporting to image", 70ms}}),
      ElementsAre("4321ms", "cached offered", "20ms offered", "cached offered"));
}

TEST_F(PastBuild, with_triggers_of_a_base_image_tells_nothing) {
  EXPECT_EQ(
      describe_instructions(
          build_,
          file_.instructions,
          {{"[builder 2/2] COPY . /src", 20ms}, {"[builder 3/2] RUN make", 20ms}}),
      std::nullopt);
}

TEST_F(PastBuild, gives_its_layers_to_the_instructions_of_its_chain) {
  EXPECT_THAT(
      layers(
          {"# base",
           "CMD sh",
           "LABEL a=b",
           "WORKDIR /app",
           "COPY /made . # buildkit",
           "RUN /bin/sh -c strip made # buildkit"},
          {"base", "one", "two", "three"}),
      ElementsAre(":0", "one:0", "two:0", "three:60"));
}

TEST_F(PastBuild, gives_no_layers_where_the_history_is_another) {
  const std::vector<std::string> nothing{":0", ":0", ":0", ":0"};
  EXPECT_EQ(layers({"WORKDIR /app", "RUN x", "COPY y"}, {"base", "one", "two", "three"}), nothing);
  EXPECT_EQ(layers({"COPY y", "RUN x"}, {"base", "one", "two", "three"}), nothing);
  EXPECT_EQ(layers({"WORKDIR /app", "COPY y", "RUN x"}, {"two", "three"}), nothing);
}

class OpenEndedBuild : public PastBuild {
 protected:
  OpenEndedBuild() : PastBuild("FROM alpine\nRUN one\nADD https://example.com/x /x\nRUN two\n") {}
};

TEST_F(OpenEndedBuild, leaves_out_what_no_other_build_can_have) {
  EXPECT_THAT(described({}), SizeIs(1));
}

}  // namespace
}  // namespace freshet::cache
