// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/egress_policy.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::net {
namespace {

constexpr std::size_t k_max_shown = 100;
constexpr std::size_t k_max_name = 253;
constexpr const char* k_example = "10.1.0.0/16,registry.example.com,*.example.org,public";

bool is_label(std::string_view label) {
  return !label.empty() && label.front() != '-' && std::ranges::all_of(label, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

/// In lower case. What ends in a number is an address, or was to be one.
bool is_host_name(std::string_view name) {
  const std::vector<std::string> labels = split(name, '.');
  const bool is_number = labels.back().find_first_not_of("0123456789") == std::string::npos;
  return name.size() <= k_max_name && std::ranges::all_of(labels, is_label) && !is_number;
}

}  // namespace

EgressPolicy::EgressPolicy(std::string_view rules, std::string source)
    : source_(std::move(source)) {
  for (const std::string& rule : split(rules, ',')) {
    if (!trim(rule).empty()) {
      add(to_lower(trim(rule)));
    }
  }
  if (!has_addresses() && names_.empty() && suffixes_.empty()) {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format("{} is set but empty: no connection would be permitted", source_))
        .with_hint(fmt::format(
            "list what may be reached, as in '{}', or unset it to permit all", k_example));
  }
}

void EgressPolicy::add(const std::string& rule) {
  constexpr std::string_view k_any_below = "*.";
  if (rule == "public") {
    is_public_ = true;
  } else if (const auto network = Network::parse(rule)) {
    networks_.push_back(*network);
  } else if (rule.starts_with(k_any_below) && is_host_name(rule.substr(k_any_below.size()))) {
    suffixes_.push_back(rule.substr(1));
  } else if (is_host_name(rule)) {
    names_.push_back(rule);
  } else {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format(
            "'{}' in {} is no network, address, host name, '*.suffix' or 'public'",
            printable(rule, k_max_shown),
            source_))
        .with_hint(fmt::format(
            "separate rules by commas and leave out schemes and ports, as in '{}'", k_example));
  }
}

bool EgressPolicy::permits_name(std::string_view host) const {
  std::string name = to_lower(host);
  if (name.ends_with('.')) {
    name.pop_back();
  }
  return !is_set() || std::ranges::find(names_, name) != names_.end() ||
         std::ranges::any_of(suffixes_, [&](const std::string& suffix) {
           return name.size() > suffix.size() && name.ends_with(suffix);
         });
}

bool EgressPolicy::permits(const boost::asio::ip::address& address) const {
  return !is_set() || (is_public_ && !is_internal_address(address)) ||
         std::ranges::any_of(
             networks_, [&](const Network& network) { return network.contains(address); });
}

bool EgressPolicy::permits_behind_proxy(std::string_view host) const {
  if (const auto address = address_of_host(host)) {
    return permits(*address);
  }
  return permits_name(host) || (is_public_ && !is_internal_host(host));
}

}  // namespace freshet::net
