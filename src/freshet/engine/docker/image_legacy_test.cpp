// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/image_legacy.hpp"

#include "freshet/engine/docker/image_layers.hpp"

#include <gtest/gtest.h>

namespace freshet::engine {
namespace {

const std::vector<oci::Digest> k_chain =
    chain_ids({oci::Digest::of("1"), oci::Digest::of("2"), oci::Digest::of("3")});

std::string id_of(const std::string& hashed) {
  return std::string(oci::Digest::of(hashed).hex());
}

TEST(LegacyLayer, is_told_by_the_hash_over_its_folders_json_with_the_chain_id) {
  const std::string layer = k_chain[0].to_string();
  const std::string id = id_of(
      R"({"container_config":{"Cmd":["a,}\"","b"]},"created":"1970","layer_id":")" + layer + "\"}");
  const std::string json =
      R"({"id":")" + id +
      R"(","created":"1970","container_config":{"Cmd":["a,}\"","b"]},"os":"linux"})";
  EXPECT_EQ(find_legacy_layer(id, json, k_chain), 0U);
  EXPECT_EQ(find_legacy_layer(id, json, {k_chain[1], k_chain[0]}), 1U);
  EXPECT_EQ(find_legacy_layer(id, json, {k_chain[1]}), std::nullopt);
}

TEST(LegacyLayer, has_its_parent_and_for_the_highest_one_its_system_in_the_hash) {
  const std::string parent(64, 'a');
  const std::string id = id_of(
      R"({"architecture":"amd64","layer_id":")" + k_chain[2].to_string() +
      R"(","os":"linux","parent":"sha256:)" + parent + "\"}");
  const std::string json =
      R"({"architecture":"amd64","id":")" + id + R"(","os":"linux","parent":")" + parent + "\"}";
  EXPECT_EQ(find_legacy_layer(id, json, k_chain), 2U);
}

TEST(LegacyLayer, is_unknown_for_anything_else) {
  for (const char* json :
       {"",
        "{",
        "{}",
        "[]",
        "null",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":\"",
        "{\"a\":{",
        "{\"a\\",
        "{\"parent\":1}",
        "{ \"a\": 1 }"}) {
    EXPECT_EQ(find_legacy_layer(std::string(64, 'a'), json, k_chain), std::nullopt) << json;
  }
}

}  // namespace
}  // namespace freshet::engine
