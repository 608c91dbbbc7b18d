// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/secret.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace freshet {
namespace {

TEST(Secret, prints_as_asterisks_everywhere) {
  const Secret secret("s3cret");
  std::ostringstream stream;
  stream << secret;
  EXPECT_EQ(stream.str(), "***");
  EXPECT_EQ(fmt::format("{}", secret), "***");
  EXPECT_EQ(fmt::format("[{:>5}]", secret), "[  ***]");
  EXPECT_EQ(fmt::format("{}", Secret()), "***") << "not even that it is empty";
  EXPECT_EQ(::testing::PrintToString(secret), "***");
}

TEST(Secret, reveals_its_text_on_request_only) {
  EXPECT_EQ(Secret("s3cret").reveal(), "s3cret");
  EXPECT_TRUE(Secret().is_empty());
  EXPECT_FALSE(Secret("x").is_empty());
  static_assert(!std::is_convertible_v<Secret, std::string>);
  static_assert(!std::is_convertible_v<std::string, Secret>);
}

TEST(Secret, is_compared_by_its_text) {
  EXPECT_TRUE(Secret("a") == Secret("a"));
  EXPECT_FALSE(Secret("a") == Secret("b"));
  EXPECT_FALSE(Secret("a") == Secret("aa"));
  EXPECT_TRUE(Secret() == Secret(""));
}

TEST(Secret, leaves_nothing_behind_when_it_is_moved) {
  Secret source("short");
  const char* bytes = source.reveal().data();
  const Secret target = std::move(source);
  EXPECT_EQ(target.reveal(), "short");
  EXPECT_EQ(target.reveal().data(), bytes) << "the one copy that there is";
  EXPECT_TRUE(source.is_empty());  // NOLINT(bugprone-use-after-move): that is what is asked
}

TEST(Secret, wipes_what_it_held_when_it_goes) {
  const char* bytes = nullptr;
  {
    const Secret secret("s3cret");
    bytes = secret.reveal().data();
  }
  EXPECT_EQ(std::string(bytes, 6), std::string(6, '\0'));
}

TEST(Secret, wipes_what_it_held_when_it_is_overwritten) {
  Secret secret("longer");
  const char* bytes = secret.reveal().data();
  secret = Secret("x");
  EXPECT_EQ(secret.reveal(), "x");
  EXPECT_EQ(std::string(bytes + 2, 4), std::string(4, '\0'));
}

TEST(Secret, survives_an_assignment_to_itself) {
  Secret secret("s3cret");
  Secret& same = secret;
  secret = same;
  EXPECT_EQ(secret.reveal(), "s3cret");
  secret = std::move(same);
  EXPECT_EQ(secret.reveal(), "s3cret");
}

}  // namespace
}  // namespace freshet
