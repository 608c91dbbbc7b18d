// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/ip/address.hpp>

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace freshet::net {

/// Whether `address` is none of the public internet: loopback, private, link-local (where cloud
/// metadata lives), carrier-grade NAT, unspecified, multicast or reserved; also inside an IPv4
/// address that is mapped, translated or tunnelled in IPv6.
/// Source: IANA special-purpose address registries.
bool is_internal_address(const boost::asio::ip::address& address);

/// The address that `host` (IPv6 with or without brackets) spells, if it spells one.
std::optional<boost::asio::ip::address> address_of_host(std::string_view host);

/// A range of addresses.
class Network {
 public:
  /// From `10.1.0.0/16`, `2001:db8::/32`, or a single address (IPv6 with or without brackets).
  static std::optional<Network> parse(std::string_view text);

  /// Counts an IPv4 address that is mapped in IPv6 as the IPv4 address that it leads to.
  bool contains(const boost::asio::ip::address& address) const;

 private:
  Network(boost::asio::ip::address address, std::size_t prefix_bits)
      : address_(std::move(address)), prefix_bits_(prefix_bits) {}

  boost::asio::ip::address address_;
  std::size_t prefix_bits_;
};

/// Whether `host` is 127.0.0.0/8, `::1` or `localhost`: where plain http harms nobody.
bool is_loopback_host(std::string_view host);

/// Whether `host` names this machine or an internal address without asking the resolver.
bool is_internal_host(std::string_view host);

}  // namespace freshet::net
