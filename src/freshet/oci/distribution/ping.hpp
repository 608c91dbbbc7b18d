// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/http.hpp"

#include <string>

namespace freshet::oci {

/// What answers at a domain.
struct PingAnswer {
  bool is_registry = false;
  bool is_encrypted = false;
  bool wants_credentials = false;
  /// When it is no registry: what it answered instead, e.g. `HTTP 200 with a 'text/html' page`.
  std::string evidence;
};

/// Judges the answer to `GET /v2/`: a registry names its API version, or lets in with (nearly) no
/// body, or refuses with a challenge. `is_encrypted` is left to the caller.
/// Source: OCI Distribution Spec 1.1, "Determining Support"; the version header is distribution's.
PingAnswer judge_ping(const net::HttpResponse& response);

}  // namespace freshet::oci
