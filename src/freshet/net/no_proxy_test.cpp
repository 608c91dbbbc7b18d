// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/no_proxy.hpp"

#include <gtest/gtest.h>

namespace freshet::net {
namespace {

TEST(NoProxy, takes_out_names_and_what_is_below_them) {
  constexpr const char* k_list = "corp.example, .other.example\tLAST.example.";
  for (const char* host :
       {"corp.example",
        "Corp.Example.",
        "a.b.corp.example",
        "other.example",
        "x.other.example",
        "last.example"}) {
    EXPECT_TRUE(is_exempt_from_proxy(k_list, host)) << host;
  }
  for (const char* host : {"evilcorp.example", "example", "corp.example.net", ""}) {
    EXPECT_FALSE(is_exempt_from_proxy(k_list, host)) << host;
  }
}

TEST(NoProxy, takes_out_addresses_by_themselves_and_by_networks) {
  constexpr const char* k_list = "127.0.0.1,10.0.0.0/8,::1,fd00::/8,1";
  for (const char* host : {"127.0.0.1", "10.255.0.1", "[::1]", "[fd12::3]"}) {
    EXPECT_TRUE(is_exempt_from_proxy(k_list, host)) << host;
  }
  for (const char* host : {"127.0.0.2", "11.0.0.1", "[::2]", "[fe80::1]", "0.0.0.1"}) {
    EXPECT_FALSE(is_exempt_from_proxy(k_list, host)) << host;
  }
}

TEST(NoProxy, takes_out_everything_or_nothing) {
  EXPECT_TRUE(is_exempt_from_proxy("*", "anything.example"));
  EXPECT_TRUE(is_exempt_from_proxy("*", "10.0.0.1"));
  EXPECT_FALSE(is_exempt_from_proxy("", "anything.example"));
  EXPECT_FALSE(is_exempt_from_proxy(" , .", "anything.example"));
  EXPECT_FALSE(is_exempt_from_proxy("a,*", "anything.example")) << "only a star alone";
}

}  // namespace
}  // namespace freshet::net
