// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/ip/address.hpp>

#include <optional>
#include <string_view>

namespace freshet::net {

/// Whether `address` is none of the public internet: loopback, private, link-local (where cloud
/// metadata lives), carrier-grade NAT, unspecified, multicast or reserved; also inside an IPv4
/// address that is mapped, translated or tunnelled in IPv6.
/// Source: IANA special-purpose address registries.
bool is_internal_address(const boost::asio::ip::address& address);

/// The address that `host` (IPv6 with or without brackets) spells, if it spells one.
std::optional<boost::asio::ip::address> address_of_host(std::string_view host);

/// Whether `host` is 127.0.0.0/8, `::1` or `localhost`: where plain http harms nobody.
bool is_loopback_host(std::string_view host);

/// Whether `host` names this machine or an internal address without asking the resolver.
bool is_internal_host(std::string_view host);

}  // namespace freshet::net
