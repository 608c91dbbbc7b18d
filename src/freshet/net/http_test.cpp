// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/http.hpp"

#include <gtest/gtest.h>

namespace freshet::net {
namespace {

TEST(HttpHeaders, are_found_without_regard_to_case) {
  const HttpHeaders headers{{"Content-Type", "a"}, {"Link", "1"}, {"link", "2"}};
  EXPECT_EQ(headers.find("content-TYPE"), "a");
  EXPECT_EQ(headers.find("LINK"), "1");
  EXPECT_EQ(headers.find_all("link"), (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(headers.find("Content"), std::nullopt);
}

TEST(HttpHeaders, set_replaces_every_field_of_the_name) {
  HttpHeaders headers{{"A", "1"}, {"a", "2"}, {"B", "3"}};
  headers.set("a", "4");
  EXPECT_EQ(headers.find_all("A"), std::vector<std::string>{"4"});
  EXPECT_EQ(headers.find("B"), "3");
}

TEST(HttpHeaders, refuse_a_line_break_that_would_start_another_field) {
  HttpHeaders headers;
  EXPECT_THROW(headers.add("A", "1\r\nHost: x"), Error);
  EXPECT_THROW(headers.add("A\n", "1"), Error);
  EXPECT_THROW(headers.add("A", std::string("1\0", 2)), Error);
  EXPECT_TRUE(headers.fields().empty());
}

TEST(TransportError, is_an_error_that_knows_its_kind) {
  const TransportError error(
      TransportProblem::refused, ErrorCode::unavailable, "'x' refused", "do y");
  EXPECT_EQ(error.kind(), TransportProblem::refused);
  EXPECT_EQ(error.message(), "'x' refused");
  EXPECT_EQ(error.hint(), "do y");
}

}  // namespace
}  // namespace freshet::net
