// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/no_proxy.hpp"

#include "freshet/base/text.hpp"
#include "freshet/net/address.hpp"

#include <algorithm>
#include <string>

namespace freshet::net {
namespace {

std::string_view without_end_dot(std::string_view name) {
  return name.ends_with('.') ? name.substr(0, name.size() - 1) : name;
}

bool is_at_or_below(std::string_view name, std::string_view domain) {
  return name == domain || (name.size() > domain.size() && name.ends_with(domain) &&
                            name[name.size() - domain.size() - 1] == '.');
}

/// Both in lower case.
bool is_meant(std::string_view member, std::string_view host) {
  if (const auto address = address_of_host(host)) {
    const auto network = Network::parse(member);
    return network && network->contains(*address);
  }
  const std::string_view domain =
      without_end_dot(member.starts_with('.') ? member.substr(1) : member);
  return !domain.empty() && is_at_or_below(without_end_dot(host), domain);
}

}  // namespace

bool is_exempt_from_proxy(std::string_view no_proxy, std::string_view host) {
  std::string members = to_lower(no_proxy);
  std::ranges::replace_if(
      members, [](char c) { return c == ' ' || c == '\t'; }, ',');
  const std::string name = to_lower(host);
  return members == "*" || std::ranges::any_of(split(members, ','), [&](const std::string& member) {
           return is_meant(member, name);
         });
}

}  // namespace freshet::net
