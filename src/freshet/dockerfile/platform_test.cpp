// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/platform.hpp"

#include <gtest/gtest.h>

namespace freshet::dockerfile {
namespace {

struct PlatformCase {
  std::string_view text;
  std::string_view expected;  // empty: it is no platform
};

class Platform : public ::testing::TestWithParam<PlatformCase> {};

TEST_P(Platform, is_read_as_builders_read_it) {
  const auto platform = parse_platform(GetParam().text, {"linux", "amd64", ""});
  EXPECT_EQ(platform ? platform->to_string() : "", GetParam().expected) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Text,
    Platform,
    ::testing::Values(
        PlatformCase{"linux/amd64", "linux/amd64"},
        PlatformCase{"Linux/X86_64", "linux/amd64"},
        PlatformCase{"linux", "linux/amd64"},
        PlatformCase{"arm64", "linux/arm64"},
        PlatformCase{"aarch64", "linux/arm64"},
        PlatformCase{"linux/arm64/v8", "linux/arm64/v8"},
        PlatformCase{"linux/arm64/8", "linux/arm64/v8"},
        PlatformCase{"linux/arm64/v9", "linux/arm64/v9"},
        PlatformCase{"linux/arm", "linux/arm"},
        PlatformCase{"linux/arm/7", "linux/arm/v7"},
        PlatformCase{"armel", "linux/arm/v6"},
        PlatformCase{"armhf", "linux/arm"},
        PlatformCase{"linux/i386", "linux/386"},
        PlatformCase{"linux/amd64/v1", "linux/amd64"},
        PlatformCase{"linux/amd64/v3", "linux/amd64/v3"},
        PlatformCase{"macos/arm64", "darwin/arm64"},
        PlatformCase{"windows(10.0.17763)/amd64", "windows/amd64"},
        PlatformCase{"linux/riscv64", "linux/riscv64"},
        PlatformCase{"", ""},
        PlatformCase{"foo", ""},
        PlatformCase{"linux/", ""},
        PlatformCase{"linux/a b", ""},
        PlatformCase{"linux/arm/v7/x", ""},
        PlatformCase{"*/*", ""}));

}  // namespace
}  // namespace freshet::dockerfile
