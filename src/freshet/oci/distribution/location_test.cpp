// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/distribution/location.hpp"

#include <gtest/gtest.h>

namespace freshet::oci {
namespace {

std::string resolved(std::string_view location) {
  const auto base = net::parse_url("https://r.example/v2/app/blobs/uploads/?x=1");
  const auto url = resolve_location(*base, location);
  return url ? url->origin() + url->target() : "nowhere";
}

TEST(Location, is_absolute_or_relative) {
  EXPECT_EQ(resolved("https://s.example/a?b=c"), "https://s.example/a?b=c");
  EXPECT_EQ(resolved("//s.example/a"), "https://s.example/a");
  EXPECT_EQ(resolved("/a?b=https://x"), "https://r.example/a?b=https://x");
  EXPECT_EQ(resolved("a"), "https://r.example/v2/app/blobs/uploads/a");
  EXPECT_EQ(resolved("?a=1"), "https://r.example/v2/app/blobs/uploads/?a=1");
}

TEST(Location, that_is_neither_leads_nowhere) {
  for (const char* location :
       {"",
        "#x",
        "../x",
        "/a/../b",
        "file:///x",
        "javascript:alert(1)",
        "ftp://x/y",
        "//",
        "a b"}) {
    EXPECT_EQ(resolved(location), "nowhere") << location;
  }
}

std::optional<std::uint64_t> uploaded(std::string range) {
  net::HttpResponse response;
  response.headers.add("Range", std::move(range));
  return uploaded_bytes(response);
}

TEST(UploadedBytes, are_read_from_the_range) {
  EXPECT_EQ(uploaded("0-99"), 100U);
  EXPECT_EQ(uploaded("bytes=0-99"), 100U);
  EXPECT_EQ(uploaded("0-0"), 0U);
  for (const char* range :
       {"", "0-", "1-99", "0--1", "0-99999999999999999999", "0-1x", "0-18446744073709551615"}) {
    EXPECT_EQ(uploaded(range), std::nullopt) << range;
  }
  EXPECT_EQ(uploaded_bytes(net::HttpResponse{}), std::nullopt);
}

TEST(ContentRange, has_three_numbers_or_a_star) {
  const auto range = parse_content_range("bytes 5-9/10");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->first, 5U);
  EXPECT_EQ(range->last, 9U);
  EXPECT_EQ(range->size, 10U);
  EXPECT_EQ(parse_content_range("bytes 5-9/*")->size, std::nullopt);
  for (const char* text : {"", "bytes */10", "bytes 9-5/10", "bytes 5-/10", "bytes 5-9", "x"}) {
    EXPECT_FALSE(parse_content_range(text)) << text;
  }
}

}  // namespace
}  // namespace freshet::oci
