// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace freshet::oci {

/// One way of authenticating that a server offers.
struct Challenge {
  std::string scheme;  // lower case, e.g. `bearer`
  std::vector<std::pair<std::string, std::string>> parameters;  // names in lower case

  /// The first parameter of this (lower-case) name; empty when absent.
  std::string parameter(std::string_view name) const;
};

/// All challenges of one `WWW-Authenticate` value, in their order. What cannot be understood is
/// passed over; at most 32 challenges with 32 parameters each are kept.
/// Source: RFC 9110, sections 11.2 to 11.6.1.
std::vector<Challenge> parse_challenges(std::string_view header);

}  // namespace freshet::oci
