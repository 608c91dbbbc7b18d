// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/egress_policy.hpp"

#include "freshet/base/error_text.hpp"

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace freshet::net {
namespace {

namespace ip = boost::asio::ip;

bool permits(std::string_view rules, const char* address) {
  return EgressPolicy(rules, "X").permits(ip::make_address(address));
}

TEST(EgressPolicy, permits_everything_when_there_is_none) {
  EXPECT_TRUE(EgressPolicy().permits(ip::make_address("127.0.0.1")));
  EXPECT_TRUE(EgressPolicy().permits_name("anything"));
}

TEST(EgressPolicy, permits_the_addresses_of_its_networks) {
  constexpr const char* k_rules = " 10.1.0.0/16, 192.168.0.7,,2001:db8::/33 ";
  EXPECT_TRUE(permits(k_rules, "10.1.255.255"));
  EXPECT_TRUE(permits(k_rules, "192.168.0.7"));
  EXPECT_TRUE(permits(k_rules, "2001:db8:7fff::1"));
  EXPECT_FALSE(permits(k_rules, "10.2.0.0"));
  EXPECT_FALSE(permits(k_rules, "2001:db8:8000::1"));
  EXPECT_FALSE(permits("registry.example.com", "93.184.216.34"));
}

TEST(EgressPolicy, knows_what_is_public) {
  EXPECT_TRUE(permits("public", "93.184.216.34"));
  EXPECT_TRUE(permits("PUBLIC", "2606:2800:220:1::1"));
  for (const char* address :
       {"127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00:ec2::254", "::ffff:10.0.0.1"}) {
    EXPECT_FALSE(permits("public", address)) << address;
  }
}

TEST(EgressPolicy, permits_names_as_they_are_and_below_a_suffix) {
  const EgressPolicy policy("Registry.example.com,*.corp.example", "X");
  EXPECT_TRUE(policy.permits_name("registry.example.com"));
  EXPECT_TRUE(policy.permits_name("REGISTRY.example.com."));
  EXPECT_TRUE(policy.permits_name("a.b.corp.example"));
  for (const char* name :
       {"example.com",
        "x.registry.example.com",
        "corp.example",
        "evilcorp.example",
        ".corp.example",
        ""}) {
    EXPECT_FALSE(policy.permits_name(name)) << name;
  }
  EXPECT_FALSE(policy.has_addresses());
}

std::string refusal_of(const std::string& rules) {
  try {
    EgressPolicy(rules, "THE_VARIABLE");
    return "no refusal";
  } catch (const Error& error) {
    return to_terminal(error);
  }
}

TEST(EgressPolicy, names_the_rule_that_is_none) {
  for (const char* rule :
       {"10.0.0.0/33",
        "10.0.0",
        "300.1.1.1",
        "a b",
        "*",
        "*.",
        "*.*.example",
        "*.10",
        "x.*",
        "host:5000",
        "https://host",
        "::1/129",
        "-x",
        "a..b"}) {
    EXPECT_EQ(
        refusal_of(fmt::format("public,{}", rule)),
        fmt::format(
            "error: '{}' in THE_VARIABLE is no network, address, host name, '*.suffix' or "
            "'public'\n"
            "hint: separate rules by commas and leave out schemes and ports, as in "
            "'10.1.0.0/16,registry.example.com,*.example.org,public'\n",
            rule));
  }
}

TEST(EgressPolicy, is_an_error_when_it_is_set_but_empty) {
  for (const char* rules : {"", " , "}) {
    EXPECT_EQ(
        refusal_of(rules),
        "error: THE_VARIABLE is set but empty: no connection would be permitted\n"
        "hint: list what may be reached, as in '10.1.0.0/16,registry.example.com,*.example.org,"
        "public', or unset it to permit all\n");
  }
}

TEST(EgressPolicy, leaves_names_to_a_proxy_only_where_all_of_the_internet_is_permitted) {
  const EgressPolicy named("registry.example.com,10.1.0.0/16", "X");
  EXPECT_TRUE(named.permits_behind_proxy("registry.example.com"));
  EXPECT_TRUE(named.permits_behind_proxy("10.1.2.3"));
  EXPECT_FALSE(named.permits_behind_proxy("10.2.2.3"));
  EXPECT_FALSE(named.permits_behind_proxy("elsewhere.example.com"));

  const EgressPolicy open("public", "X");
  EXPECT_TRUE(open.permits_behind_proxy("elsewhere.example.com"));
  EXPECT_TRUE(open.permits_behind_proxy("93.184.216.34"));
  for (const char* host : {"169.254.169.254", "[::1]", "localhost", "x.localhost."}) {
    EXPECT_FALSE(open.permits_behind_proxy(host)) << host;
  }
}

}  // namespace
}  // namespace freshet::net
