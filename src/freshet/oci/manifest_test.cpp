// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/manifest.hpp"

#include "freshet/base/error.hpp"

#include <fmt/format.h>
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

std::string descriptor(std::string_view more = "") {
  return fmt::format(
      R"({{"mediaType":"application/x","digest":"{}","size":7{}}})",
      Digest::of("x").to_string(),
      more);
}

std::string fault(std::string_view bytes, std::string_view media_type = k_image) {
  try {
    parse_manifest(bytes, media_type);
    return {};
  } catch (const Error& error) {
    return error.message();
  }
}

std::string image(const std::string& layers, const std::string& more = "") {
  return R"({"config":)" + descriptor() + R"(,"layers":[)" + layers + "]" + more + "}";
}

TEST(ParseManifest, reads_an_image) {
  const ParsedManifest parsed = parse_manifest(
      image(
          descriptor() + "," + descriptor(R"(,"urls":["https://elsewhere.example/x"])"),
          R"(,"subject":)" + descriptor() + R"(,"annotations":{"a":"b"})"),
      k_image);
  EXPECT_EQ(parsed.kind, ManifestKind::image);
  EXPECT_EQ(parsed.config->descriptor.size_bytes, 7U);
  ASSERT_EQ(parsed.layers.size(), 2U);
  EXPECT_FALSE(parsed.layers[0].is_foreign);
  EXPECT_TRUE(parsed.layers[1].is_foreign);
  EXPECT_EQ(parsed.subject->digest, Digest::of("x"));
  EXPECT_EQ(parsed.artifact_type, "application/x");
  EXPECT_EQ(parsed.annotations.at("a"), "b");
}

TEST(ParseManifest, reads_an_index) {
  const ParsedManifest parsed = parse_manifest(
      R"({"manifests":[)" +
          descriptor(R"(,"platform":{"os":"linux","architecture":"arm","variant":"v7"})") + "," +
          descriptor(R"(,"artifactType":"t","annotations":{"k":"v"})") + "]}",
      k_index);
  EXPECT_EQ(parsed.kind, ManifestKind::index);
  ASSERT_EQ(parsed.manifests.size(), 2U);
  EXPECT_EQ(parsed.manifests[0].platform->to_string(), "linux/arm/v7");
  EXPECT_FALSE(parsed.manifests[1].platform);
  const Manifest again = make_index(parsed.manifests);
  EXPECT_EQ(
      parse_manifest(again.bytes, again.descriptor.media_type).manifests[1].artifact_type, "t");
}

TEST(ParseManifest, names_what_is_malformed) {
  for (const char* digest :
       {"sha256:../../x", "sha256:ABC", "sha256:", "md5:d41d8cd98f00b204e9800998ecf8427e", ""}) {
    EXPECT_EQ(
        fault(image(fmt::format(R"({{"mediaType":"x","digest":"{}","size":1}})", digest))),
        fmt::format("the manifest has the malformed digest '{}' in its layer 1", digest));
  }
  for (const char* size : {"-1", "1.5", "\"7\"", "null", "99999999999999999999"}) {
    EXPECT_EQ(
        fault(image(fmt::format(
            R"({{"mediaType":"x","digest":"{}","size":{}}})", Digest::of("x").to_string(), size))),
        "the manifest has no size in its layer 1")
        << size;
  }
  EXPECT_EQ(fault(image("7")), "the manifest has a malformed layer 1");
  EXPECT_EQ(fault(R"({"layers":[]})"), "the manifest of an image names no configuration");
  EXPECT_EQ(fault(image("", R"(,"subject":7)")), "the manifest has a malformed subject");
}

TEST(ParseManifest, refuses_names_that_occur_twice) {
  EXPECT_EQ(
      fault(image("", R"(,"layers":[])")),
      "the manifest has the name 'layers' twice in one object");
  EXPECT_EQ(
      fault(image(descriptor(R"(,"siz\u0065":8)"))),
      "the manifest has the name 'size' twice in one object");
}

TEST(ParseManifest, is_bounded) {
  EXPECT_EQ(
      fault(std::string(k_max_manifest_bytes + 1, ' ')),
      "the manifest has 4.2 MB, the limit is 4.2 MB");
  std::string many = "1";
  for (int entry = 0; entry < 1'000'000; ++entry) {
    many += ",1";
  }
  EXPECT_EQ(
      fault(R"({"manifests":[)" + many + "]}", k_index),
      "the manifest has 1000001 manifests, the limit is 10000");
}

}  // namespace
}  // namespace freshet::oci
