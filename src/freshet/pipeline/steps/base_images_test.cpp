// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/base_images.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(FindBaseImages, names_each_image_once_and_no_stage) {
  EXPECT_THAT(
      find_base_images(
          "FROM gcr.io/a/base:1 AS build\n"
          "FROM scratch\n"
          "FROM build\n"
          "FROM gcr.io/a/base:1\n"
          "COPY --from=build /x /x\n"
          "COPY --from=0 /x /x\n"
          "COPY --chown=1 --from=gcr.io/b/tools /y /y\n",
          {}),
      ElementsAre("gcr.io/a/base:1", "gcr.io/b/tools"));
}

TEST(FindBaseImages, names_what_commands_mount) {
  EXPECT_THAT(
      find_base_images(
          "FROM a AS one\n"
          "RUN --mount=type=bind,from=r.io/tools:1,target=/t --mount=type=cache,target=/c make\n"
          "RUN --mount=from=one,target=/t make --mount=from=r.io/no\n",
          {}),
      ElementsAre("a", "r.io/tools:1"));
}

TEST(FindBaseImages, puts_in_global_arguments) {
  const std::string text =
      "ARG BASE=alpine\nARG TAG=\"3.19\" OTHER\n"
      "FROM ${BASE}:$TAG\n"
      "FROM ${OTHER:-r.io/x}/app\n"
      "FROM $NOBODY\n"
      "FROM ${OTHER}\n";
  EXPECT_THAT(find_base_images(text, {}), ElementsAre("alpine:3.19", "r.io/x/app"));
  EXPECT_THAT(
      find_base_images(text, {{"BASE", "r.io/base"}, {"OTHER", "o.io"}, {"NOBODY", "x"}}),
      ElementsAre("r.io/base:3.19", "o.io/app", "o.io"));
}

TEST(FindBaseImages, puts_arguments_into_arguments) {
  EXPECT_THAT(
      find_base_images("ARG V=3.19\nARG BASE=r.io/base:${V}\nFROM $BASE\n", {}),
      ElementsAre("r.io/base:3.19"));
}

TEST(FindBaseImages, reads_the_file_as_the_builder_does) {
  EXPECT_THAT(find_base_images("ARG\nARG A=1\tB=2\nFROM r.io/a:$B\n", {}), ElementsAre("r.io/a:2"));
  EXPECT_THAT(
      find_base_images("ARG A=1.2\nFROM ${A:+r.io/a}:${A%.*}\n", {}), ElementsAre("r.io/a:1"));
  EXPECT_THAT(
      find_base_images("FROM a\nRUN <<EOF\nFROM b\nCOPY --from=c / /\nEOF\n", {}),
      ElementsAre("a"));
  EXPECT_THAT(find_base_images("FROM a\nCOPY --from=\"b\" / /\n", {}), ElementsAre("a", "b"));
}

TEST(FindBaseImages, leaves_to_the_builder_what_depends_on_the_platform) {
  EXPECT_THAT(find_base_images("FROM r.io/a-$TARGETARCH\nFROM b\n", {}), ElementsAre("b"));
}

TEST(FindBaseImages, an_argument_of_a_stage_is_not_global) {
  EXPECT_THAT(find_base_images("FROM a\nARG B=b\nFROM $B\n", {}), ElementsAre("a"));
  EXPECT_THAT(find_base_images("FROM ${A", {{"A", "x"}}), IsEmpty());
}

TEST(BaseImages, are_renamed_where_images_are_named_and_nowhere_else) {
  EXPECT_EQ(
      rename_base_images(
          "ARG BASE=r.example/a@sha256:1\n"
          "# r.example/a@sha256:1\n"
          "FROM --platform=linux/amd64 \\\n  r.example/a@sha256:1 AS one\n"
          "FROM r.example/a@sha256:12\n"
          "FROM mirror.r.example/a@sha256:1\n"
          "RUN echo r.example/a@sha256:1\n"
          "COPY --from=r.example/a@sha256:1 /x /y",
          {{"r.example/a@sha256:1", "r.example/a:one"}}),
      "ARG BASE=r.example/a:one\n"
      "# r.example/a@sha256:1\n"
      "FROM --platform=linux/amd64 \\\n  r.example/a:one AS one\n"
      "FROM r.example/a@sha256:12\n"
      "FROM mirror.r.example/a@sha256:1\n"
      "RUN echo r.example/a@sha256:1\n"
      "COPY --from=r.example/a:one /x /y");
}

}  // namespace
}  // namespace freshet::pipeline
