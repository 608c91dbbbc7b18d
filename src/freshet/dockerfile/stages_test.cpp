// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/stages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::dockerfile {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(FindImages, names_each_image_once_in_all_stages) {
  EXPECT_THAT(
      find_images(
          parse("ARG V=1\nFROM --platform=linux/amd64 golang:${V} as a\nFROM a AS b\nFROM scratch\n"
                "FROM r.io:5000/app@sha256:0 AS c\nFROM golang:$V\nFROM\nfrom $BASE\n"
                "COPY --from=B / /\nCOPY --from=0 / /\nCOPY --from=tools / /\n"
                "RUN --mount=from=mounted,target=/m x\n"),
          {{"V", "2"}}),
      ElementsAre("golang:2", "r.io:5000/app@sha256:0", "tools", "mounted"));
  EXPECT_THAT(find_images(parse(""), {}), IsEmpty());
}

}  // namespace
}  // namespace freshet::dockerfile
