// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/digest.hpp"

#include <gtest/gtest.h>

namespace freshet::oci {
namespace {

// Of the three letters "abc": the first example of FIPS 180.
constexpr std::string_view k_abc_256 =
    "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr std::string_view k_abc_512 =
    "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

TEST(Digest, of_content_is_its_sha256) {
  EXPECT_EQ(Digest::of("abc").to_string(), k_abc_256);
}

TEST(Digest, parses_both_registered_algorithms) {
  const auto digest = Digest::parse(k_abc_512);
  ASSERT_TRUE(digest);
  EXPECT_EQ(digest->algorithm(), "sha512");
  EXPECT_EQ(digest->hex(), k_abc_512.substr(7));
  EXPECT_EQ(Digest::parse(k_abc_256), Digest::of("abc"));
}

TEST(Digest, checks_content_by_its_own_algorithm) {
  EXPECT_TRUE(Digest::parse(k_abc_512)->is_of("abc"));
  EXPECT_FALSE(Digest::parse(k_abc_512)->is_of("abd"));
  EXPECT_TRUE(Digest::parse(k_abc_256)->is_of("abc"));
  EXPECT_FALSE(Digest::parse(k_abc_256)->is_of(""));
}

TEST(Digest, refuses_what_could_not_be_one) {
  const std::string hex(64, 'a');
  for (const std::string& text : {
           std::string(),
           std::string("sha256"),
           std::string("sha256:"),
           "sha256:" + hex.substr(1),
           "sha256:" + hex + "a",
           "sha256:" + std::string(64, 'A'),
           "sha256:" + std::string(64, 'g'),
           "SHA256:" + hex,
           "md5:" + hex,
           "sha512:" + hex,
           std::string("sha256:../../x"),
           "sha256:" + hex.substr(6) + "../../",
           " sha256:" + hex,
           "sha256:" + hex + "\n",
           hex,
       }) {
    EXPECT_FALSE(Digest::parse(text)) << text;
  }
}

}  // namespace
}  // namespace freshet::oci
