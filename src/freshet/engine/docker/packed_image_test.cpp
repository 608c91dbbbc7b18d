// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/packed_image.hpp"

#include "freshet/engine/testing/failure.hpp"
#include "freshet/engine/testing/packed_image_maker.hpp"

#include <gtest/gtest.h>

#include <map>

namespace freshet::engine {
namespace {

using oci::Digest;
using testing::failure_of;
using testing::PackedTestImage;

const PackedTestImage k_image({"one", "two"});

struct Blobs {
  explicit Blobs(std::vector<std::string> contents) {
    for (std::string& content : contents) {
      const Digest digest = Digest::of(content);
      all.emplace(digest, std::move(content));
    }
  }

  std::optional<PackedImage> find(const WantedImage& wanted) const {
    const BlobLoader load = [&](const Digest& digest) {
      const auto found = all.find(digest);
      return found == all.end() ? std::nullopt : std::optional(found->second);
    };
    return find_packed_image(load, wanted);
  }

  std::map<Digest, std::string> all;
};

TEST(PackedImage, is_what_its_manifest_names) {
  const auto image = Blobs({k_image.manifest, k_image.config}).find(k_image.wanted());
  ASSERT_TRUE(image);
  EXPECT_EQ(image->manifest.bytes, k_image.manifest);
  EXPECT_EQ(image->manifest.descriptor.digest, k_image.target);
  EXPECT_EQ(image->manifest.descriptor.media_type, PackedTestImage::k_manifest);
  EXPECT_EQ(image->config, k_image.config);
  EXPECT_EQ(image->layers.at(1).digest, Digest::of(k_image.packed[1]));
  EXPECT_EQ(image->layers.at(1).size_bytes, k_image.packed[1].size());
}

TEST(PackedImage, is_found_in_an_index_with_other_platforms_and_attestations) {
  const PackedTestImage other({"three", "two"});
  // An attestation has a layer that is no archive, and a configuration of its own.
  const std::string statement = R"({"_type":"https://in-toto.io/Statement/v0.1"})";
  const std::string nothing = R"({"architecture":"unknown","os":"unknown"})";
  const std::string attestation = fmt::format(
      R"({{"schemaVersion":2,"mediaType":"{}","config":{},"layers":[{}]}})",
      PackedTestImage::k_manifest,
      testing::descriptor_of("application/vnd.oci.image.config.v1+json", nothing),
      testing::descriptor_of("application/vnd.in-toto+json", statement));
  const std::string missing = "a platform that was not pulled";
  const std::string index = k_image.index_after({other.manifest, attestation, missing});
  WantedImage wanted = k_image.wanted();
  wanted.target = Digest::of(index);

  const auto image = Blobs({index,
                            other.manifest,
                            other.config,
                            attestation,
                            nothing,
                            k_image.manifest,
                            k_image.config})
                         .find(wanted);

  ASSERT_TRUE(image);
  EXPECT_EQ(image->manifest.descriptor.digest, k_image.target);
}

TEST(PackedImage, is_not_there_without_its_configuration_or_for_another_platform) {
  EXPECT_FALSE(Blobs({k_image.manifest}).find(k_image.wanted()));
  EXPECT_FALSE(Blobs({k_image.config}).find(k_image.wanted()));
  WantedImage other = k_image.wanted();
  other.os = "windows";
  EXPECT_FALSE(Blobs({k_image.manifest, k_image.config}).find(other));
}

TEST(PackedImage, is_not_believed_when_its_manifest_or_configuration_is_another) {
  for (const std::string& content : {k_image.manifest, k_image.config}) {
    Blobs blobs({k_image.manifest, k_image.config});
    const Digest digest = Digest::of(content);
    blobs.all.at(digest) += " ";
    EXPECT_EQ(
        failure_of([&] { blobs.find(k_image.wanted()); }),
        "corrupt_data: the engine has other content than '" + digest.to_string() + "' says");
  }
}

}  // namespace
}  // namespace freshet::engine
