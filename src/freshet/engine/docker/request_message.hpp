// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/secret.hpp"
#include "freshet/engine/docker/endpoint.hpp"
#include "freshet/engine/docker/version.hpp"

#include <string>
#include <vector>

namespace freshet::engine {

/// One request to the engine.
struct EngineRequest {
  std::string method = "GET";
  std::string path;  // percent-encoded, with its query, without version
  std::string action;  // what is asked for, as after "could not": `start container 'x'`
  std::string subject;  // what is missing when the engine says 404: `container 'x'`
  std::string body;  // empty: none
  std::string content_type = "application/json";  // of the body
  Secret registry_auth;  // header `X-Registry-Auth`; empty: none
  std::string upgrade;  // protocol to change to, e.g. `tcp`; empty: none
  bool is_versioned = true;  // whether the path is below `/v1.xx`
  /// A status of 300 and above that is an answer and no failure, e.g. 404 where absent is success.
  std::vector<unsigned> accepted = {};
};

/// Head and body as they go over the wire, below the path of `version` where the request wants
/// that; a secret because of the credentials in its head. Source: RFC 9112; Engine API,
/// "X-Registry-Auth".
Secret make_message(
    const EngineRequest& request, const ApiVersion& version, const Endpoint& endpoint);

}  // namespace freshet::engine
