// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/http.hpp"

#include <gtest/gtest.h>

namespace freshet::engine {
namespace {

using State = AnswerParser::State;

/// Feeds `text` in two pieces cut at `cut`.
State feed_cut(AnswerParser& parser, std::string& buffer, std::string_view text, std::size_t cut) {
  buffer += text.substr(0, cut);
  const State first = parser.feed(buffer);
  if (first != State::need_more) {
    buffer += text.substr(cut);
    return first;
  }
  buffer += text.substr(cut);
  return parser.feed(buffer);
}

TEST(AnswerParser, reads_a_chunked_answer_wherever_it_is_cut) {
  const std::string text =
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n7;x=y\r\n, world\r\n0\r\n\r\nNEXT";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    AnswerParser parser;
    std::string buffer;
    EXPECT_EQ(feed_cut(parser, buffer, text, cut), State::done) << cut;
    EXPECT_EQ(parser.take_body(), "hello, world") << cut;
    EXPECT_EQ(parser.status(), 200U);
    EXPECT_EQ(parser.header("content-type"), "application/json");
    EXPECT_TRUE(parser.keeps_alive());
    EXPECT_EQ(buffer, "NEXT") << cut;
  }
}

TEST(AnswerParser, leaves_what_follows_an_upgrade_in_the_buffer) {
  const std::string text =
      "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nHTTP/1.1 not a head";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    AnswerParser parser;
    std::string buffer;
    EXPECT_EQ(feed_cut(parser, buffer, text, cut), State::done) << cut;
    EXPECT_EQ(parser.status(), 101U);
    EXPECT_EQ(buffer, "HTTP/1.1 not a head") << cut;
  }
}

TEST(AnswerParser, an_answer_without_length_ends_with_the_connection) {
  AnswerParser parser;
  std::string buffer = "HTTP/1.1 200 OK\r\n\r\nabc";
  EXPECT_EQ(parser.feed(buffer), State::need_more);
  EXPECT_TRUE(parser.is_open_ended());
  EXPECT_EQ(parser.take_body(), "abc");
  EXPECT_EQ(parser.feed_end(), State::done);
  EXPECT_FALSE(parser.keeps_alive());
}

TEST(AnswerParser, a_cut_answer_is_not_done) {
  for (const char* text :
       {"",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"}) {
    AnswerParser parser;
    std::string buffer = text;
    EXPECT_EQ(parser.feed(buffer), State::need_more) << text;
    EXPECT_EQ(parser.feed_end(), State::need_more) << text;
  }
}

TEST(AnswerParser, refuses_what_is_not_http) {
  for (const char* text :
       {"SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 twohundred OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    AnswerParser parser;
    std::string buffer = text;
    EXPECT_EQ(parser.feed(buffer), State::malformed) << text;
  }
  AnswerParser parser;
  std::string endless = "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x');
  EXPECT_EQ(parser.feed(endless), State::malformed);
}

TEST(Query, values_are_encoded_and_empty_ones_left_out) {
  const Query query{{"name", ""}, {"tag", "a b&c=d/ü"}, {"all", "1"}};
  EXPECT_EQ(with_query("/x", query), "/x?tag=a%20b%26c%3Dd%2F%C3%BC&all=1");
}

TEST(Path, keeps_the_characters_of_references_and_no_others) {
  EXPECT_EQ(encode_path("host:5000/a/b:tag"), "host:5000/a/b:tag");
  EXPECT_EQ(encode_path("a@sha256:0"), "a@sha256:0");
  EXPECT_EQ(encode_path("a?b#c d\r\n%"), "a%3Fb%23c%20d%0D%0A%25");
}

}  // namespace
}  // namespace freshet::engine
