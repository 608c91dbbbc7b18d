// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/address.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace freshet::net {

/// Whom the administrator lets us connect to. Pure.
///
/// A host that is permitted by its name is permitted whatever that resolves to. Any other is judged
/// by the address that is dialled, so that a name which changes its address gains nothing.
class EgressPolicy {
 public:
  /// Permits everything.
  EgressPolicy() = default;
  /// `rules`, separated by commas: networks (`10.1.0.0/16`, `2001:db8::/32`), addresses, host
  /// names, `*.example.com` (what is below it), and `public` (all addresses of the public
  /// internet). `source` is where they were set, for messages.
  /// Throws invalid_input naming the rule that is none, or when there is no rule.
  EgressPolicy(std::string_view rules, std::string source);

  /// Whether there is one.
  bool is_set() const { return !source_.empty(); }
  const std::string& source() const { return source_; }

  /// Whether `host` (as in `Url::host`) is permitted by its name.
  bool permits_name(std::string_view host) const;
  bool permits(const boost::asio::ip::address& address) const;
  /// Whether a permitted proxy may be asked for `host`. What a name leads to only the proxy knows:
  /// one that is not permitted itself is left to it where all of the public internet is permitted,
  /// and else refused.
  bool permits_behind_proxy(std::string_view host) const;
  /// Whether any address may be permitted; otherwise a name need not even be resolved.
  bool has_addresses() const { return !is_set() || is_public_ || !networks_.empty(); }

 private:
  void add(const std::string& rule);

  std::string source_;
  bool is_public_ = false;
  std::vector<Network> networks_;
  std::vector<std::string> names_;
  std::vector<std::string> suffixes_;  // with the dot that they start with
};

}  // namespace freshet::net
