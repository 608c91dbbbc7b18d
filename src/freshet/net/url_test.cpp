// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/url.hpp"

#include <gtest/gtest.h>

namespace freshet::net {
namespace {

TEST(Url, is_taken_apart) {
  const auto url = parse_url("HTTPS://Host.Example:5000/v2/a?x=1&y=2#f");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->host, "host.example");
  EXPECT_EQ(url->port, 5000);
  EXPECT_EQ(url->target(), "/v2/a?x=1&y=2");
  EXPECT_EQ(url->origin(), "https://host.example:5000");
  EXPECT_FALSE(url->has_userinfo);
}

TEST(Url, leaves_the_scheme_s_own_port_unsaid) {
  EXPECT_EQ(parse_url("https://a.example:443/")->authority(), "a.example");
  EXPECT_EQ(parse_url("http://a.example:443/")->authority(), "a.example:443");
  EXPECT_EQ(parse_url("http://[::1]:5000/")->authority(), "[::1]:5000");
  EXPECT_EQ(parse_url("http://a.example")->target(), "/");
}

TEST(Url, shows_the_true_host_behind_tricks) {
  EXPECT_EQ(parse_url("https://good.example@evil.example/")->host, "evil.example");
  EXPECT_TRUE(parse_url("https://good.example@evil.example/")->has_userinfo);
  for (const char* loopback :
       {"http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/"}) {
    ASSERT_TRUE(parse_url(loopback)) << loopback;
    EXPECT_EQ(parse_url(loopback)->host, "127.0.0.1") << loopback;
  }
}

TEST(Url, that_is_none_is_refused) {
  for (const char* text :
       {"",
        "host",
        "/v2/",
        "//host/",
        "ftp://host/",
        "file:///etc/passwd",
        "https://",
        "https:///x",
        "https://a b/",
        "https://a\r\nb/",
        "https://evil\xE3\x80\x82"
        "example/",
        "https://a%2Fb.example/",
        "https://%94egistry.example/",
        "https://a|b/",
        "https://%33/",
        "https://%32130706433/"}) {
    EXPECT_FALSE(parse_url(text)) << text;
  }
}

TEST(RedactedUrl, shows_neither_user_nor_query_values) {
  EXPECT_EQ(
      redacted("https://bob:hunter2@a.example/blob?sig=abc&se=1&flag#frag"),
      "https://a.example/blob?sig=***&se=***&***");
  EXPECT_EQ(redacted("https://a.example:1/x"), "https://a.example:1/x");
  EXPECT_EQ(redacted("bob:hunter2"), "(malformed URL)");
}

TEST(UrlEncode, keeps_only_unreserved_characters) {
  EXPECT_EQ(url_encode("aZ0-._~"), "aZ0-._~");
  EXPECT_EQ(url_encode("repository:a/b:pull,push +&"), "repository%3Aa%2Fb%3Apull%2Cpush%20%2B%26");
  EXPECT_EQ(url_encode("\xC3\xBC"), "%C3%BC");
}

}  // namespace
}  // namespace freshet::net
