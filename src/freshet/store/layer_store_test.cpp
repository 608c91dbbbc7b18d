// SPDX-License-Identifier: Apache-2.0
#include "freshet/store/testing/contract.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::store {
namespace {

model::KnownLayer layer(const std::string& domain, const std::string& repository) {
  model::KnownLayer out;
  out.diff_id = "sha256:d1";
  out.digest = "sha256:c1";
  out.media_type = "application/vnd.oci.image.layer.v1.tar+gzip";
  out.size_bytes = 5'000'000'000;
  out.domain = domain;
  out.repository = repository;
  return out;
}

class LayerStoreContract : public testing::StoreContract {};

INSTANTIATE_TEST_SUITE_P(Handles, LayerStoreContract, ::testing::Bool(), testing::handle_name);

TEST_P(LayerStoreContract, gives_the_nearest_places_first_and_the_newest_of_equal_ones) {
  for (const char* place : {"far/a", "near/b", "near/app", "far/c", "near/d"}) {
    const std::string text = place;
    writer().layers().remember(
        layer(text.substr(0, text.find('/')), text.substr(text.find('/') + 1)));
  }
  std::vector<std::string> places;
  for (const auto& found : reader().layers().find("sha256:d1", "near", "app")) {
    places.push_back(found.domain + "/" + found.repository);
  }
  EXPECT_THAT(places, ::testing::ElementsAre("near/app", "near/d", "near/b", "far/c", "far/a"));
  EXPECT_THAT(reader().layers().find("sha256:d2", "near", "app"), ::testing::IsEmpty());
}

TEST_P(LayerStoreContract, keeps_every_field_and_each_place_once) {
  writer().layers().remember(layer("near", "app"));
  model::KnownLayer again = layer("near", "app");
  again.size_bytes = 7;
  writer().layers().remember(again);
  EXPECT_THAT(reader().layers().find("sha256:d1", "near", "app"), ::testing::ElementsAre(again));
}

TEST_P(LayerStoreContract, forgets_one_place_and_no_other) {
  writer().layers().remember(layer("near", "app"));
  writer().layers().remember(layer("near", "other"));
  writer().layers().forget(layer("near", "app"));
  writer().layers().forget(layer("near", "app"));
  EXPECT_THAT(
      reader().layers().find("sha256:d1", "near", "app"),
      ::testing::ElementsAre(layer("near", "other")));
}

TEST_P(LayerStoreContract, gives_a_bounded_number) {
  for (int i = 0; i < 30; ++i) {
    writer().layers().remember(layer("near", std::to_string(i)));
  }
  EXPECT_EQ(reader().layers().find("sha256:d1", "near", "0").size(), LayerStore::k_max_found);
  EXPECT_EQ(reader().layers().find("sha256:d1", "near", "0").front().repository, "0");
}

}  // namespace
}  // namespace freshet::store
