// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/testing/run.hpp"
#include "freshet/oci/testing/mover_fixture.hpp"

#include <gmock/gmock.h>

namespace freshet::oci {
namespace {

using freshet::testing::error_of;
using ::testing::Contains;
using ::testing::HasSubstr;
using testing::MoverTest;

class Referrers : public MoverTest {
 protected:
  MoveReport copy_all(const std::string& tag = "v1") {
    CopyOptions options;
    options.referrers = true;
    return copy(place(one, "app"), tag, place(two, "app"), {tag}, options);
  }
  std::vector<Descriptor> listed(testing::MemoryRegistry& registry, const Manifest& subject) {
    const Place there = place(registry, "app");
    return net::testing::run_on(
        io, there.registry->list_referrers(Ctx{}, "app", subject.descriptor.digest));
  }
};

TEST_F(Referrers, go_with_the_image_and_what_refers_to_them_too) {
  const Manifest image = add_image(one, "app", "v1", {"base"});
  const Manifest attestation = add_referrer(one, "app", image, "attestation");
  const Manifest signature = add_referrer(one, "app", attestation, "signature of it");

  const MoveReport report = copy_all();

  EXPECT_EQ(report.referrers, 2);
  EXPECT_TRUE(has_image(two, "app", attestation.descriptor.digest.to_string()));
  EXPECT_TRUE(has_image(two, "app", signature.descriptor.digest.to_string()));
  EXPECT_EQ(listed(two, image).size(), 1U);
}

TEST_F(Referrers, are_there_before_the_tag_is) {
  const Manifest image = add_image(one, "app", "v1", {"base"});
  const Manifest signature = add_referrer(one, "app", image, "signature");

  copy_all();

  const int at = two.first("PUT", signature.descriptor.digest.to_string());
  EXPECT_GE(at, 0);
  EXPECT_LT(at, two.first("PUT", "/manifests/v1"));
}

TEST_F(Referrers, are_listed_by_a_registry_without_the_api_too) {
  const Manifest image = add_image(one, "app", "v1", {"base"});
  const Manifest signature = add_referrer(one, "app", image, "signature");
  two.has_referrers_api = false;

  copy_all();

  const std::vector<Descriptor> there = listed(two, image);
  ASSERT_EQ(there.size(), 1U);
  EXPECT_EQ(there.front(), signature.descriptor);
}

TEST_F(Referrers, follow_an_image_that_is_there_already) {
  const Manifest image = add_image(one, "app", "v1", {"base"});
  copy(place(one, "app"), "v1", place(two, "app"), {"v1"});
  const Manifest signature = add_referrer(one, "app", image, "signature");

  copy_all();
  EXPECT_TRUE(has_image(two, "app", signature.descriptor.digest.to_string()));

  two.log.clear();
  copy_all();
  EXPECT_EQ(two.count("PUT"), 0);
}

TEST_F(Referrers, of_the_images_of_an_index_go_with_it) {
  const Manifest amd = add_image(one, "app", "", {"a"});
  const Manifest signature = add_referrer(one, "app", amd, "signature");
  add_index(one, "app", "v1", {{amd, for_platform("amd64")}});

  copy_all();

  EXPECT_TRUE(has_image(two, "app", signature.descriptor.digest.to_string()));
}

TEST_F(Referrers, under_the_tags_of_cosign_go_with_it) {
  const Manifest image = add_image(one, "app", "v1", {"base"});
  const std::string tag = fmt::format("sha256-{}.sig", image.descriptor.digest.hex());
  add_image(one, "app", tag, {"signature"});

  const MoveReport report = copy_all();

  EXPECT_TRUE(has_image(two, "app", tag));
  EXPECT_EQ(report.referrers, 1);
}

TEST_F(Referrers, that_name_another_image_are_kept_and_told) {
  const Manifest other = add_image(one, "app", "other", {"other"});
  const Manifest foreign = add_referrer(one, "app", other, "signature of other");
  const Manifest image = add_image(one, "app", "v1", {"base"});
  one.also_listed[image.descriptor.digest.to_string()] = {foreign.descriptor};

  copy_all();

  EXPECT_TRUE(has_image(two, "app", foreign.descriptor.digest.to_string()));
  EXPECT_THAT(lines, Contains(HasSubstr("is listed as a referrer of another image")));
}

TEST_F(Referrers, in_a_circle_come_to_an_end) {
  const Manifest image = add_image(one, "app", "v1", {"base"});
  const Manifest signature = add_referrer(one, "app", image, "signature");
  one.also_listed[signature.descriptor.digest.to_string()] = {
      image.descriptor, signature.descriptor};

  copy_all();

  EXPECT_TRUE(has_image(two, "app", "v1"));
}

TEST_F(Referrers, nested_without_end_are_refused) {
  Manifest subject = add_image(one, "app", "v1", {"base"});
  for (int i = 0; i < 5; ++i) {
    subject = add_referrer(one, "app", subject, fmt::format("level {}", i));
  }

  EXPECT_EQ(
      error_of([&] { copy_all(); }),
      "unsupported\nerror: what refers to the image is nested deeper than 4 levels\n");
  EXPECT_FALSE(two.repositories["app"].tags.contains("v1"));
}

TEST_F(Referrers, that_are_lost_make_the_copy_fail) {
  const Manifest image = add_image(one, "app", "v1", {"base"});
  const Descriptor lost{testing::k_oci_manifest, Digest::of("lost"), 4};
  one.also_listed[image.descriptor.digest.to_string()] = {lost};

  EXPECT_EQ(
      error_of([&] { copy_all(); }),
      "not_found\nerror: 'one.test' does not have 'app@" + lost.digest.to_string() +
          "'\n  it said: 'MANIFEST_UNKNOWN: manifest unknown' (HTTP 404)\n");
  EXPECT_FALSE(two.repositories["app"].tags.contains("v1"));
}

}  // namespace
}  // namespace freshet::oci
