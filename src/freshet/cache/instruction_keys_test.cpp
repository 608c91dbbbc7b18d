// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/instruction_keys.hpp"

#include "freshet/base/text.hpp"
#include "freshet/cache/context_files.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace freshet::cache {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Ne;

constexpr std::string_view k_dockerfile =
    "FROM tools AS builder\n"
    "ARG MODE=fast\n"
    "RUN make deps\n"
    "WORKDIR /src\n"
    "COPY src ./\n"
    "RUN make\n"
    "FROM alpine\n"
    "LABEL what=app\n"
    "RUN apk add curl\n"
    "COPY --from=builder /src/app /bin/\n"
    "CMD app\n";

class Build {
 public:
  explicit Build(std::string_view dockerfile) : text(dockerfile) {}

  KeyedBuild keyed() const {
    const dockerfile::File file = dockerfile::parse(text);
    const auto find_config = [this](const std::string&, const oci::Platform&) { return config; };
    const dockerfile::Evaluation evaluation = dockerfile::evaluate(file, inputs, find_config);
    EXPECT_EQ(render(file.diagnostics, text) + render(evaluation.diagnostics, text), "");
    return make_instruction_keys(evaluation, facts);
  }

  std::vector<model::InstructionKey> keys() const {
    std::vector<model::InstructionKey> out;
    for (const KeyNode& node : keyed().graph.nodes) {
      out.push_back(node.key);
    }
    return out;
  }

  std::string text;
  dockerfile::BuildInputs inputs;
  std::optional<dockerfile::ImageConfig> config;
  BuildFacts facts{
      {{"other", "1", false, ""}, {"src", "1", false, ""}, {"src/a", "1", false, ""}},
      {{"tools", "sha256:11"}, {"alpine", "sha256:22"}},
      "this build"};
};

/// The indexes of the keys that are not the same.
std::vector<std::size_t> changed(const Build& before, const Build& after) {
  const auto one = before.keys();
  const auto other = after.keys();
  EXPECT_EQ(one.size(), other.size());
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < std::min(one.size(), other.size()); ++i) {
    if (one[i] != other[i]) {
      out.push_back(i);
    }
  }
  return out;
}

TEST(InstructionKeys, make_a_graph_of_what_makes_layers) {
  const KeyedBuild build = Build(k_dockerfile).keyed();
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < build.graph.nodes.size(); ++i) {
    const KeyNode& node = build.graph.nodes[i];
    std::vector<std::string> parents;
    for (const std::size_t parent : node.parents) {
      parents.push_back(std::to_string(parent));
    }
    shown.push_back(fmt::format(
        "{}:{} {} <{}>",
        build.graph.stages[node.stage],
        node.line,
        build.inputs[i].text,
        join(parents, ",")));
  }
  EXPECT_THAT(
      shown,
      ElementsAre(
          "builder:3 RUN make deps <>",
          "builder:4 WORKDIR /src <0>",
          "builder:5 COPY src ./ <1>",
          "builder:6 RUN make <2>",
          "stage-1:9 RUN apk add curl <>",
          "stage-1:10 COPY --from=builder /src/app /bin/ <3,4>"));
  EXPECT_THAT(build.graph.targets, ElementsAre(5));
  EXPECT_THAT(build.chain, ElementsAre(4, 5));
}

TEST(InstructionKeys, stay_the_same_for_ever) {
  const auto key = Build(k_dockerfile).keys().back();
  EXPECT_EQ(
      to_hex({reinterpret_cast<const char*>(key.data()), key.size()}),
      "15e06619ea1399609374ed1d96bef7e07d4d33da44408ed246fc9203877d14bf");
}

TEST(InstructionKeys, of_a_stage_that_starts_from_another_go_on_from_there) {
  const KeyedBuild build =
      Build("FROM alpine AS base\nRUN one\nFROM base\nRUN two\nFROM base AS last\nRUN two\n")
          .keyed();
  EXPECT_THAT(build.chain, ElementsAre(0, 1));
  EXPECT_EQ(build.graph.nodes.size(), 2U);
}

TEST(InstructionKeys, are_equal_where_the_same_is_made_twice) {
  const auto keys = Build(
                        "FROM alpine AS one\nRUN make\nFROM alpine AS two\nRUN make\n"
                        "COPY --from=one / /\n")
                        .keys();
  EXPECT_EQ(keys.at(0), keys.at(1));
}

TEST(InstructionKeys, of_a_moved_base_are_others_and_no_more) {
  Build after(k_dockerfile);
  after.facts.images["alpine"] = "sha256:23";
  EXPECT_THAT(changed(Build(k_dockerfile), after), ElementsAre(4, 5));
}

TEST(InstructionKeys, of_another_platform_are_all_others) {
  Build after(k_dockerfile);
  after.inputs.platform.architecture = "arm64";
  EXPECT_THAT(changed(Build(k_dockerfile), after), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(InstructionKeys, do_not_depend_on_what_images_and_stages_are_called) {
  Build after(
      "FROM docker.io/library/tools AS compiler\nARG MODE=fast\nRUN make deps\nWORKDIR /src\n"
      "COPY src ./\nRUN make\nFROM alpine\nRUN apk add curl\n"
      "COPY --from=compiler /src/app /bin/\n");
  after.facts.images["docker.io/library/tools"] = "sha256:11";
  EXPECT_THAT(changed(Build(k_dockerfile), after), IsEmpty());
}

TEST(InstructionKeys, of_what_nobody_can_know_are_no_other_builds) {
  const Build plain(
      "FROM alpine\nRUN one\nADD https://example.com/x /x\nRUN two\nFROM scratch\n"
      "COPY --from=0 / /\n");
  Build next = plain;
  next.facts.build = "next build";
  EXPECT_THAT(changed(plain, next), ElementsAre(1, 2, 3));
  std::vector<bool> known;
  for (const InstructionInputs& inputs : plain.keyed().inputs) {
    known.push_back(inputs.is_known);
  }
  EXPECT_THAT(known, ElementsAre(true, false, false, false));

  const Build pinned(
      "FROM alpine\nADD --checksum=sha256:"
      "0123456789012345678901234567890123456789012345678901234567890123 https://example.com/x "
      "/x\n");
  next = pinned;
  next.facts.build = "next build";
  EXPECT_THAT(changed(pinned, next), IsEmpty());

  const Build unresolved("FROM absent\nRUN one\nFROM alpine\nRUN two\nCOPY --from=absent /x /x\n");
  Build needed(unresolved.text + "COPY --from=0 /y /y\n");
  next = needed;
  next.facts.build = "next build";
  EXPECT_THAT(changed(needed, next), ElementsAre(0, 2, 3));
}

TEST(InstructionKeys, of_triggers_of_the_base_image_count_its_context) {
  Build before("FROM alpine\nRUN make\n");
  before.config.emplace();
  before.config->triggers = {"COPY src /src"};
  Build after = before;
  after.facts.context[2].state = "2";
  EXPECT_THAT(changed(before, after), ElementsAre(0, 1));
}

TEST(InstructionKeys, of_commands_are_of_their_mounts_too) {
  const std::vector<std::string> mounts{
      "type=bind,source=src,target=/m",
      "type=bind,source=src/a,target=/m",
      "type=bind,source=src,target=/n",
      "type=bind,source=src,target=/m,rw",
      "type=bind,from=tools,source=src,target=/m",
      "type=bind,from=alpine,source=src,target=/m",
      "type=bind,from=one,source=src,target=/m",
      "type=cache,target=/m",
      "type=cache,target=/m,id=other",
      "type=cache,target=/m,sharing=locked",
      "type=cache,target=/m,from=tools",
      "type=cache,target=/m,uid=1",
      "type=cache,target=/m,gid=1",
      "type=cache,target=/m,mode=0700",
      "type=tmpfs,target=/m",
      "type=tmpfs,target=/m,size=1000",
      "type=secret,id=one,target=/m",
      "type=secret,id=two,target=/m",
      "type=secret,id=one,target=/m,required",
      "type=secret,id=one,env=M",
      "type=ssh",
      "type=ssh,id=two"};
  std::set<model::InstructionKey> keys;
  for (const std::string& mount : mounts) {
    const Build build(
        "FROM tools AS one\nRUN one\nFROM alpine\nCOPY --from=one / /\nRUN --mount=" + mount +
        " make\n");
    EXPECT_TRUE(keys.insert(build.keys().at(2)).second) << mount;
  }
}

TEST(InstructionKeys, of_caches_do_not_depend_on_the_context) {
  const Build before("FROM alpine\nRUN --mount=type=cache,target=/root/.cache make\n");
  Build after = before;
  after.facts.context[2].state = "2";
  EXPECT_THAT(changed(before, after), IsEmpty());
}

TEST(InstructionKeys, of_very_many_copies_are_made_of_the_whole_context) {
  constexpr std::size_t k_files = 50'000;
  constexpr std::size_t k_looks = ContextFiles::k_max_work / k_files;
  constexpr std::size_t k_stages = k_looks + 20;
  Build before("");
  before.facts.context.clear();
  for (std::size_t i = 0; i < k_files; ++i) {
    before.facts.context.push_back({fmt::format("f{:05}", i), "1", false, ""});
  }
  std::string last = "FROM alpine\n";
  for (std::size_t i = 0; i < k_stages; ++i) {
    before.text += "FROM alpine\nCOPY f00001 /x\n";
    last += fmt::format("COPY --from={} /x /x\n", i);
  }
  before.text += last;
  Build after = before;
  after.facts.context[2].state = "2";
  const auto nodes = changed(before, after);
  EXPECT_EQ(nodes.at(0), k_looks);
  EXPECT_EQ(std::ranges::count_if(nodes, [](std::size_t node) { return node < k_stages; }), 20);
}

TEST(InstructionKeys, of_any_difference_of_what_an_instruction_says_are_others) {
  const std::vector<std::string> lines{
      "RUN make",
      "RUN make all",
      "RUN [\"make\"]",
      "RUN --network=none make",
      "RUN --network=host make",
      "RUN --security=insecure make",
      "RUN <<EOF\nmake\nEOF",
      "RUN <<EOF\n#!/bin/sh\nmake\nEOF",
      "RUN <<OTHER\n#!/bin/sh\nmake\nOTHER",
      "USER 1\nRUN make",
      "ENV A=1\nRUN make",
      "ENV A=\nRUN make",
      "ENV A=1 B=\nRUN make",
      "ARG B=1\nRUN make",
      "SHELL [\"/bin/bash\", \"-c\"]\nRUN make",
      "COPY src /x",
      "COPY src /x/",
      "COPY src/ /y",
      "COPY src other /x/",
      "COPY other src /x/",
      "COPY --chown=1 src /x",
      "COPY --chmod=1 src /x",
      "COPY --link src /x",
      "COPY --parents src /x",
      "COPY --exclude=b src /x",
      "COPY --from=tools src /x",
      "COPY --from=alpine src /x",
      "COPY <<a /x\nb\na",
      "COPY <<a /x\nc\na",
      "ADD src /x",
      "ADD --unpack=false src /x",
      "WORKDIR /x",
      "WORKDIR /y",
      "USER 1\nWORKDIR /x"};
  std::set<model::InstructionKey> keys;
  for (const std::string& line : lines) {
    EXPECT_TRUE(keys.insert(Build("FROM alpine\n" + line + "\n").keys().at(0)).second) << line;
  }
}

TEST(InstructionKeys, do_not_depend_on_what_changes_the_configuration_alone) {
  const Build before("FROM alpine\nRUN one\nRUN two\n");
  for (const std::string line :
       {"LABEL a=b",
        "CMD x",
        "ENTRYPOINT x",
        "EXPOSE 80",
        "VOLUME /v",
        "STOPSIGNAL 9",
        "HEALTHCHECK CMD x",
        "MAINTAINER me",
        "WORKDIR /",
        "# comment"}) {
    const Build after("FROM alpine\n" + line + "\nRUN one\n" + line + "\nRUN two\n");
    EXPECT_THAT(changed(before, after), IsEmpty()) << line;
  }
}

}  // namespace
}  // namespace freshet::cache
