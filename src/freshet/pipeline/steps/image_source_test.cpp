// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/image_source.hpp"

#include <gtest/gtest.h>

namespace freshet::pipeline {
namespace {

TEST(NameWithoutRegistry, is_the_path_that_the_user_typed) {
  EXPECT_EQ(name_without_registry("hello"), "hello");
  EXPECT_EQ(name_without_registry("acme/web:1.2"), "acme/web");
  EXPECT_EQ(name_without_registry("127.0.0.1:5000/acme/web:1.2"), "acme/web");
  EXPECT_EQ(name_without_registry("gcr.io/p/go-app@sha256:aa"), "p/go-app");
}

TEST(DigestsOf, counts_only_those_of_the_same_repository) {
  const std::string one = "sha256:" + std::string(64, '1');
  const std::string two = "sha256:" + std::string(64, '2');
  engine::ImageDetails image;
  image.repo_digests = {"127.0.0.1:5000/base@" + one, "alpine@" + two};

  using Digests = std::vector<std::string>;
  EXPECT_EQ(digests_of(image, oci::Reference::parse("127.0.0.1:5000/base:1")), Digests{one});
  EXPECT_EQ(digests_of(image, oci::Reference::parse("docker.io/library/alpine")), Digests{two});
  EXPECT_EQ(digests_of(image, oci::Reference::parse("base:1")), Digests{});
}

TEST(ParseReference, says_where_in_the_pipeline_a_bad_one_stands) {
  try {
    parse_reference("Not An Image", {"codefresh.yml", 7, 12});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(to_string(error.position()), "codefresh.yml:7:12");
  }
}

}  // namespace
}  // namespace freshet::pipeline
