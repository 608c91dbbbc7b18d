// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/secret.hpp"

#include <string>

namespace freshet::net {

/// How the servers behind one `HttpClient` are reached, the same for every host that it asks.
/// Clients with different settings share nothing: no connection, no TLS session, no certificate.
struct ConnectionSettings {
  std::string ca_certificates;  // PEM, trusted beside the system's; may be empty
  std::string client_certificate;  // PEM chain, leaf first; empty: none
  Secret client_key;  // PEM, of `client_certificate`
  bool is_verification_off = false;  // accept any certificate (never the default)
  std::string proxy;  // URL without credentials; empty: as the environment says
  bool is_direct = false;  // no proxy, whatever the environment says
  std::string proxy_username;
  Secret proxy_password;

  bool operator==(const ConnectionSettings&) const = default;
};

}  // namespace freshet::net
