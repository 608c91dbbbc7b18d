// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/address.hpp"

#include <gtest/gtest.h>

namespace freshet::net {
namespace {

TEST(InternalAddress, is_whatever_the_public_internet_does_not_route) {
  for (const char* text :
       {"0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.0.1",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001::1"}) {
    EXPECT_TRUE(is_internal_address(boost::asio::ip::make_address(text))) << text;
  }
}

TEST(InternalAddress, is_not_a_public_one) {
  for (const char* text : {"1.1.1.1",         "8.8.8.8",          "9.255.255.255",
                           "11.0.0.0",        "100.63.0.1",       "100.128.0.1",
                           "126.0.0.1",       "128.0.0.1",        "169.253.0.1",
                           "172.15.0.1",      "172.32.0.1",       "192.0.1.1",
                           "192.167.0.1",     "198.17.0.1",       "198.20.0.1",
                           "223.255.255.255", "2606:4700::1111",  "2001:4860:4860::8888",
                           "::ffff:8.8.8.8",  "64:ff9b::808:808", "2002:808:808::"}) {
    EXPECT_FALSE(is_internal_address(boost::asio::ip::make_address(text))) << text;
  }
}

TEST(LoopbackHost, is_this_machine_only) {
  for (const char* host : {"localhost", "LocalHost", "127.0.0.1", "127.9.9.9", "::1", "[::1]"}) {
    EXPECT_TRUE(is_loopback_host(host)) << host;
  }
  for (const char* host : {"localhost.example", "10.0.0.1", "127.0.0.1.example", "0.0.0.0", ""}) {
    EXPECT_FALSE(is_loopback_host(host)) << host;
  }
}

TEST(InternalHost, is_told_without_the_resolver) {
  for (const char* host :
       {"localhost",
        "localhost.",
        "api.localhost",
        "169.254.169.254",
        "169.254.169.254.",
        "[fd00:ec2::254]",
        "[::ffff:127.0.0.1]"}) {
    EXPECT_TRUE(is_internal_host(host)) << host;
  }
  EXPECT_FALSE(is_internal_host("auth.example"));
  EXPECT_FALSE(is_internal_host("8.8.8.8"));
}

bool contains(const char* network, const char* address) {
  return Network::parse(network).value().contains(boost::asio::ip::make_address(address));
}

TEST(Network, holds_the_addresses_of_its_prefix) {
  EXPECT_TRUE(contains("10.1.0.0/16", "10.1.255.255"));
  EXPECT_FALSE(contains("10.1.0.0/16", "10.2.0.0"));
  EXPECT_TRUE(contains("10.1.2.3/16", "10.1.0.0")) << "what is behind the prefix does not count";
  EXPECT_TRUE(contains("10.1.2.0/23", "10.1.3.1"));
  EXPECT_FALSE(contains("10.1.2.0/23", "10.1.4.1"));
  EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(contains("0.0.0.0/0", "169.254.169.254"));
  EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
  EXPECT_FALSE(contains("::/0", "10.0.0.1"));
}

TEST(Network, may_be_a_single_address) {
  EXPECT_TRUE(contains("10.1.2.3", "10.1.2.3"));
  EXPECT_FALSE(contains("10.1.2.3", "10.1.2.2"));
  EXPECT_TRUE(contains("::1", "::1"));
  EXPECT_TRUE(contains("[::1]", "::1"));
  EXPECT_FALSE(contains("::1", "::2"));
}

TEST(Network, takes_a_mapped_address_for_what_it_leads_to) {
  EXPECT_TRUE(contains("10.1.0.0/16", "::ffff:10.1.2.3"));
  EXPECT_FALSE(contains("10.1.0.0/16", "::ffff:10.2.2.3"));
  EXPECT_FALSE(contains("::/0", "::ffff:10.1.2.3"));
}

TEST(Network, may_be_written_as_mapped_addresses) {
  EXPECT_TRUE(contains("::ffff:10.1.2.3", "10.1.2.3"));
  EXPECT_FALSE(contains("::ffff:10.1.2.3", "10.1.2.4"));
  EXPECT_TRUE(contains("::ffff:10.2.0.0/112", "10.2.255.1"));
  EXPECT_FALSE(contains("::ffff:10.2.0.0/112", "10.3.0.1"));
  EXPECT_FALSE(Network::parse("::ffff:10.2.0.0/90")) << "neither one nor the other";
}

TEST(Network, is_not_what_is_written_otherwise) {
  for (const char* text :
       {"",
        "10.1.0.0/33",
        "10.1/16",
        "10.1.0.0/",
        "10.1.0.0/-1",
        "::/129",
        "host",
        "10.1.0.0/8x"}) {
    EXPECT_FALSE(Network::parse(text)) << text;
  }
}

}  // namespace
}  // namespace freshet::net
