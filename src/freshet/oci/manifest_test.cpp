// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/manifest.hpp"

#include "freshet/base/error.hpp"

#include <gtest/gtest.h>

namespace freshet::oci {
namespace {

constexpr std::string_view k_index = k_manifest_media_types[0];
constexpr std::string_view k_image = k_manifest_media_types[1];
constexpr std::string_view k_docker_list = k_manifest_media_types[2];
constexpr std::string_view k_docker_image = k_manifest_media_types[3];

std::string refusal(std::string_view bytes, std::string_view media_type) {
  try {
    require_sound_manifest(bytes, media_type);
    return {};
  } catch (const Error& error) {
    return error.message();
  }
}

TEST(Manifest, that_can_be_read_in_one_way_is_sound) {
  EXPECT_EQ(refusal(R"({"schemaVersion":2,"config":{},"layers":[]})", k_image), "");
  EXPECT_EQ(refusal(R"({"manifests":[]})", k_index), "");
  EXPECT_EQ(refusal(R"({"manifests":[]})", k_docker_list), "");
  EXPECT_EQ(
      refusal(
          R"({"mediaType":"application/vnd.docker.distribution.manifest.v2+json","layers":[]})",
          k_docker_image),
      "");
}

TEST(Manifest, that_could_be_read_in_two_ways_is_corrupt) {
  EXPECT_EQ(
      refusal(R"({"manifests":[],"layers":[]})", k_image),
      "the manifest claims to be an image and an index at once");
  EXPECT_EQ(
      refusal(R"({"manifests":[],"config":{}})", k_index),
      "the manifest claims to be an image and an index at once");
  EXPECT_EQ(
      refusal(R"({"fsLayers":[],"layers":[]})", k_image),
      "the manifest has parts of the old schema 1");
  EXPECT_EQ(
      refusal(R"({"mediaType":"application/vnd.oci.image.index.v1+json","layers":[]})", k_image),
      "the manifest says another media type than 'application/vnd.oci.image.manifest.v1+json' "
      "about "
      "itself");
  EXPECT_EQ(
      refusal(R"({"layers":[]})", k_index),
      "the manifest of type 'application/vnd.oci.image.index.v1+json' has no list of manifests");
  EXPECT_EQ(
      refusal(R"({"layers":{}})", k_image),
      "the manifest of type 'application/vnd.oci.image.manifest.v1+json' has no list of layers");
}

TEST(Manifest, that_is_no_json_object_is_corrupt) {
  for (const std::string& bytes :
       {std::string(),
        std::string("[]"),
        std::string("null"),
        std::string("{"),
        std::string("<html>"),
        R"({"layers":)" + std::string(1000, '[') + std::string(1000, ']') + "}"}) {
    EXPECT_EQ(refusal(bytes, k_image), "the manifest is not a JSON object") << bytes.substr(0, 20);
  }
}

TEST(Manifest, of_an_old_or_foreign_type_is_unsupported) {
  EXPECT_EQ(
      refusal("{}", "application/vnd.docker.distribution.manifest.v1+prettyjws"),
      "the image has a manifest of schema 1, a format that was given up in 2016");
  EXPECT_EQ(refusal("<html>", "text/html"), "the answer is no image manifest but 'text/html'");
}

}  // namespace
}  // namespace freshet::oci
