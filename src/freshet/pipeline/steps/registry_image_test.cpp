// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/registry_image.hpp"

#include "freshet/oci/manifest.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace freshet::pipeline {
namespace {

oci::ParsedManifest manifest_of(int layers) {
  const std::string digest = "sha256:" + std::string(64, 'a');
  std::string text = fmt::format(
      R"({{"schemaVersion":2,"config":{{"mediaType":"application/vnd.oci.image.config.v1+json",)"
      R"("digest":"{}","size":7}},"layers":[)",
      digest);
  for (int i = 0; i < layers; ++i) {
    text += fmt::format(
        R"({}{{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"{}","size":{}}})",
        i == 0 ? "" : ",",
        digest,
        100 * (i + 1));
  }
  return oci::parse_manifest(text + "]}", "application/vnd.oci.image.manifest.v1+json");
}

TEST(ParseImageRecord, takes_layers_in_the_order_of_the_history) {
  const model::ImageRecord record = parse_image_record(
      manifest_of(2),
      R"({"os":"linux","architecture":"arm64","rootfs":{"diff_ids":["sha256:1","sha256:2"]},)"
      R"("history":[{"created_by":"ADD base"},{"created_by":"CMD x","empty_layer":true},)"
      R"({"created_by":"RUN make"}]})");

  EXPECT_EQ(record.internal_image_id, std::string(64, 'a'));
  EXPECT_EQ(record.os, "linux");
  EXPECT_EQ(record.architecture, "arm64");
  EXPECT_EQ(record.size_bytes, 300u);
  ASSERT_EQ(record.layers.size(), 3u);
  EXPECT_EQ(record.layers[0].instruction, "ADD base");
  EXPECT_EQ(record.layers[0].digest, "sha256:1");
  EXPECT_EQ(record.layers[1].digest, "");
  EXPECT_EQ(record.layers[1].size_bytes, 0u);
  EXPECT_EQ(record.layers[2].digest, "sha256:2");
  EXPECT_EQ(record.layers[2].size_bytes, 200u);
}

TEST(ParseImageRecord, bears_a_configuration_of_other_shape) {
  const model::ImageRecord record = parse_image_record(
      manifest_of(1),
      R"({"os":1,"rootfs":[],"history":[7,{"created_by":"A"},{"created_by":"more than layers"}]})");

  EXPECT_EQ(record.os, "");
  ASSERT_EQ(record.layers.size(), 2u);
  EXPECT_EQ(record.layers[0].size_bytes, 100u);
  EXPECT_EQ(record.layers[1].size_bytes, 0u);
}

TEST(ParseImageRecord, refuses_what_is_no_object) {
  for (const std::string text : {"", "[]", "{"}) {
    try {
      parse_image_record(manifest_of(1), text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::corrupt_data);
      EXPECT_EQ(error.message(), "the configuration of the image is no JSON object");
    }
  }
}

}  // namespace
}  // namespace freshet::pipeline
