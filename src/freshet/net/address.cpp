// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/address.hpp"

#include "freshet/base/text.hpp"

#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

namespace freshet::net {
namespace ip = boost::asio::ip;
namespace {

struct Ipv4Range {
  std::uint32_t network;
  int prefix;
};

constexpr std::array k_internal_ipv4{
    Ipv4Range{0x00000000, 8},  // "this network"
    Ipv4Range{0x0A000000, 8},  // private
    Ipv4Range{0x64400000, 10},  // carrier-grade NAT, 100.64/10
    Ipv4Range{0x7F000000, 8},  // loopback
    Ipv4Range{0xA9FE0000, 16},  // link-local and cloud metadata, 169.254/16
    Ipv4Range{0xA83F8110, 32},  // Azure's service for its machines, 168.63.129.16
    Ipv4Range{0xAC100000, 12},  // private, 172.16/12
    Ipv4Range{0xC0000000, 24},  // protocol assignments, 192.0.0/24
    Ipv4Range{0xC0A80000, 16},  // private, 192.168/16
    Ipv4Range{0xC6120000, 15},  // benchmarking, 198.18/15
    Ipv4Range{0xE0000000, 3},  // multicast and reserved
};

bool is_internal(const ip::address_v4& address) {
  return std::ranges::any_of(k_internal_ipv4, [&](const Ipv4Range& range) {
    return ((address.to_uint() ^ range.network) >> (32 - range.prefix)) == 0;
  });
}

ip::address_v4 ipv4_at(const ip::address_v6::bytes_type& bytes, std::size_t offset) {
  return ip::address_v4({bytes[offset], bytes[offset + 1], bytes[offset + 2], bytes[offset + 3]});
}

bool starts_with(const ip::address_v6::bytes_type& bytes, std::string_view prefix) {
  return std::ranges::equal(
      std::ranges::subrange(
          bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(prefix.size())),
      prefix,
      [](unsigned char byte, char expected) {
        return byte == static_cast<unsigned char>(expected);
      });
}

bool is_internal(const ip::address_v6& address) {
  using namespace std::string_view_literals;
  const auto bytes = address.to_bytes();
  if (starts_with(bytes, "\0\0\0\0\0\0\0\0\0\0\xFF\xFF"sv)) {
    return is_internal(ipv4_at(bytes, 12));  // IPv4-mapped
  }
  if (starts_with(bytes, "\x00\x64\xFF\x9B\0\0\0\0\0\0\0\0"sv)) {
    return is_internal(ipv4_at(bytes, 12));  // translated, 64:ff9b::/96
  }
  if (starts_with(bytes, "\x20\x02"sv)) {
    return is_internal(ipv4_at(bytes, 2));  // 6to4
  }
  // Global unicast is 2000::/3 and nothing else; 2001::/23 holds protocols such as Teredo.
  const bool is_global = (bytes[0] & 0xE0) == 0x20;
  const bool is_protocol = bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] < 0x02;
  return !is_global || is_protocol;
}

/// An address that is mapped in IPv6 leads to that of IPv4.
ip::address unmapped(const ip::address& address) {
  return address.is_v6() && address.to_v6().is_v4_mapped()
             ? ip::address(ip::make_address_v4(ip::v4_mapped, address.to_v6()))
             : address;
}

template <class Bytes>
bool has_prefix(const Bytes& bytes, const Bytes& prefix, std::size_t bits) {
  for (std::size_t bit = 0; bit < bits; ++bit) {
    const unsigned mask = 0x80U >> (bit % 8);
    if (((bytes[bit / 8] ^ prefix[bit / 8]) & mask) != 0) {
      return false;
    }
  }
  return true;
}

bool is_localhost_name(std::string_view host) {
  const std::string lower = to_lower(host);
  return lower == "localhost" || lower.ends_with(".localhost");
}

}  // namespace

bool is_internal_address(const ip::address& address) {
  return address.is_v4() ? is_internal(address.to_v4()) : is_internal(address.to_v6());
}

std::optional<ip::address> address_of_host(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  boost::system::error_code failure;
  const ip::address address = ip::make_address(std::string(host), failure);
  return failure ? std::nullopt : std::optional(address);
}

std::optional<Network> Network::parse(std::string_view text) {
  constexpr std::size_t k_ipv4_bits = 32;
  constexpr std::size_t k_ipv6_bits = 128;
  if (const auto address = address_of_host(text)) {
    const ip::address base = unmapped(*address);
    return Network(base, base.is_v4() ? k_ipv4_bits : k_ipv6_bits);
  }
  boost::system::error_code failure;
  if (const auto network = ip::make_network_v4(text, failure); !failure) {
    return Network(network.address(), network.prefix_length());
  }
  if (const auto network = ip::make_network_v6(text, failure); !failure) {
    const ip::address base = unmapped(network.address());
    const std::size_t bits = network.prefix_length();
    if (base.is_v6()) {
      return Network(base, bits);
    }
    constexpr std::size_t k_mapped_bits = k_ipv6_bits - k_ipv4_bits;
    return bits < k_mapped_bits ? std::nullopt : std::optional(Network(base, bits - k_mapped_bits));
  }
  return std::nullopt;
}

bool Network::contains(const ip::address& address) const {
  const ip::address peer = unmapped(address);
  if (peer.is_v4() != address_.is_v4()) {
    return false;
  }
  return peer.is_v4()
             ? has_prefix(peer.to_v4().to_bytes(), address_.to_v4().to_bytes(), prefix_bits_)
             : has_prefix(peer.to_v6().to_bytes(), address_.to_v6().to_bytes(), prefix_bits_);
}

bool is_loopback_host(std::string_view host) {
  const auto address = address_of_host(host);
  return address ? address->is_loopback() : to_lower(host) == "localhost";
}

bool is_internal_host(std::string_view host) {
  if (host.ends_with('.')) {
    host.remove_suffix(1);
  }
  const auto address = address_of_host(host);
  return address ? is_internal_address(*address) : is_localhost_name(host);
}

}  // namespace freshet::net
