// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/lookup.hpp"

#include "freshet/dockerfile/file.hpp"

#include <gtest/gtest.h>

namespace freshet::dockerfile {
namespace {

constexpr std::string_view k_single =
    "FROM alpine\n"  // 1
    "ENV A=b\n"
    "RUN make test\n"  // 3
    "COPY . /src\n"
    "WORKDIR /src\n"  // 5
    "RUN make install DESTDIR=$A\n";

constexpr std::string_view k_stages =
    "FROM golang AS builder\n"  // 1
    "RUN make\n"
    "FROM builder AS test\n"  // 3
    "RUN make test\n"
    "FROM scratch\n"  // 5
    "COPY --from=builder /x /x\n"
    "FROM $BASE AS last\n"  // 7
    "COPY a /a\n"
    "RUN b\n";

struct LookupCase {
  const char* name;
  std::string_view dockerfile;
  std::string_view vertex;
  int line;  // 0: none
};

class Lookup : public ::testing::TestWithParam<LookupCase> {};

TEST_P(Lookup, finds_the_instruction_of_a_vertex) {
  const auto instructions = parse(GetParam().dockerfile).instructions;
  const Instruction* found = find_instruction(instructions, GetParam().vertex);
  EXPECT_EQ(found == nullptr ? 0 : found->line, GetParam().line) << GetParam().vertex;
}

INSTANTIATE_TEST_SUITE_P(
    Vertex,
    Lookup,
    ::testing::Values(
        LookupCase{"from", k_single, "[1/5] FROM docker.io/library/alpine@sha256:00", 1},
        LookupCase{"run", k_single, "[2/5] RUN make test", 3},
        LookupCase{"copy", k_single, "[3/5] COPY . /src", 4},
        LookupCase{"expanded_variable", k_single, "[5/5] RUN make install DESTDIR=b", 6},
        LookupCase{"shortened", k_single, "[5/5] RUN make inst...", 6},
        LookupCase{"padded_number", k_single, "[ 2/5] RUN make test", 3},
        LookupCase{"platform", k_single, "[linux/amd64 2/5] RUN make test", 3},
        LookupCase{"two_platforms", k_single, "[linux/amd64->arm64 2/5] RUN make test", 3},
        LookupCase{"shifted_by_triggers_of_the_base", k_single, "[3/5] RUN make test", 3},
        LookupCase{"number_of_a_trigger", k_single, "[2/5] COPY x /trigger", 0},
        LookupCase{"number_too_large", k_single, "[6/6] RUN x", 0},
        LookupCase{"unknown_stage", k_single, "[nope 2/5] RUN x", 0},
        LookupCase{"internal", k_single, "[internal] load build context", 0},
        LookupCase{"other_work", k_single, "exporting to image", 0},
        LookupCase{"nothing", k_single, "", 0},
        LookupCase{"no_instruction", k_single, "[2/5]", 0},
        LookupCase{"number_zero", k_single, "[0/5] FROM alpine", 0},
        LookupCase{"number_too_long", k_single, "[99999999999999/5] RUN x", 0},
        LookupCase{"no_number", k_single, "[a/b] RUN x", 0},
        LookupCase{"named_stage", k_stages, "[builder 2/2] RUN make", 2},
        LookupCase{"name_in_any_case", k_stages, "[Builder 1/2] FROM docker.io/library/golang", 1},
        LookupCase{"stage_on_a_stage", k_stages, "[test 1/1] RUN make test", 4},
        LookupCase{"stage_on_scratch", k_stages, "[stage-2 1/1] COPY --from=builder /x /x", 6},
        LookupCase{
            "name_and_platform",
            k_stages,
            "[linux/arm/v7 stage-2 1/1] COPY --from=builder /x /x",
            6},
        LookupCase{"variable_for_an_image", k_stages, "[last 2/3] COPY a2 /a", 8},
        LookupCase{"variable_for_a_stage", k_stages, "[last 1/2] COPY a2 /a", 8},
        LookupCase{"variable_for_a_stage_next_step", k_stages, "[last 2/2] RUN c", 9},
        LookupCase{"no_stage_where_two_fit", k_stages, "[2/2] RUN x", 0}),
    [](const auto& known) { return known.param.name; });

TEST(LookupOf, tells_equal_texts_apart_by_their_numbers) {
  const auto instructions = parse("FROM a\nRUN x\nRUN x\n").instructions;
  EXPECT_EQ(find_instruction(instructions, "[2/3] RUN x")->line, 2);
  EXPECT_EQ(find_instruction(instructions, "[3/3] RUN x")->line, 3);
}

TEST(LookupOf, finds_nothing_in_an_empty_file) {
  EXPECT_EQ(find_instruction({}, "[1/1] RUN x"), nullptr);
}

TEST(LookupOf, tells_stages_to_which_the_base_image_added_instructions) {
  const auto single = parse(k_single).instructions;
  const auto stages = parse(k_stages).instructions;
  EXPECT_TRUE(is_counted_as_written(single, "[2/5] RUN make test"));
  EXPECT_TRUE(is_counted_as_written(single, "[internal] load build context"));
  EXPECT_FALSE(is_counted_as_written(single, "[6/5] RUN make install DESTDIR=b"));
  EXPECT_FALSE(is_counted_as_written(single, "[2/6] COPY x /trigger"));
  EXPECT_TRUE(is_counted_as_written(stages, "[builder 2/2] RUN make"));
  EXPECT_FALSE(is_counted_as_written(stages, "[builder 2/3] RUN make"));
  EXPECT_TRUE(is_counted_as_written(stages, "[test 1/1] RUN make test"));
  EXPECT_TRUE(is_counted_as_written(stages, "[last 3/3] RUN b"));
  EXPECT_TRUE(is_counted_as_written(stages, "[last 2/2] RUN b"));  // $BASE is a stage
  EXPECT_FALSE(is_counted_as_written(stages, "[last 4/4] RUN b"));
}

}  // namespace
}  // namespace freshet::dockerfile
