// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/layer_memory.hpp"

#include "freshet/store/testing/temp_data_directory.hpp"

#include <gtest/gtest.h>

namespace freshet::registries {
namespace {

TEST(StoredLayerMemory, gives_back_what_it_was_told_and_skips_what_is_no_digest) {
  store::testing::TempDataDirectory directory;
  StoredLayerMemory memory(directory->layers());
  const oci::Digest diff_id = oci::Digest::of("tar");
  const oci::Descriptor blob{"application/x", oci::Digest::of("gz"), 7};
  memory.remember({diff_id, blob, "r.example", "team/app"});
  model::KnownLayer broken;
  broken.diff_id = diff_id.to_string();
  broken.digest = "sha256:../../x";
  directory->layers().remember(broken);

  const auto found = memory.find(diff_id, "r.example", "team/app");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].blob, blob);
  EXPECT_EQ(found[0].domain, "r.example");
  EXPECT_EQ(found[0].repository, "team/app");
  memory.forget(found[0]);
  EXPECT_TRUE(memory.find(diff_id, "r.example", "team/app").empty());
}

}  // namespace
}  // namespace freshet::registries
