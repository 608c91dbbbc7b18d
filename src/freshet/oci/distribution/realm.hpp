// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/url.hpp"

#include <string>
#include <string_view>

namespace freshet::oci {

/// Decides whether the token server that a registry names may be asked, with our credentials.
///
/// It may when it is spoken to as safely as the registry (https, unless the registry itself is a
/// plain loopback one) and is: the registry's own host, the known partner of that registry, or a
/// host of the same registrable domain that is no internal address.
/// With a `token_server` (host[:port]) it may when it is that one, whoever owns it, and no other.
/// Returns the realm as URL. Throws upstream_denied naming both hosts.
net::Url require_trusted_realm(
    const net::Url& registry, std::string_view realm, std::string_view token_server = {});

/// The part of `host` that one owner registered (`example.com`, `example.co.uk`); empty where that
/// cannot be told: addresses, single labels, and hosts below a cloud's shared domain.
std::string registrable_domain(std::string_view host);

}  // namespace freshet::oci
