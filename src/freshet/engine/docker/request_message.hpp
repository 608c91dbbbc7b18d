// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/secret.hpp"
#include "freshet/engine/docker/endpoint.hpp"
#include "freshet/engine/docker/version.hpp"
#include "freshet/net/byte_stream.hpp"

#include <cstdint>
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
  /// Sent instead of `body`, while it is read; borrowed. Such a request is never sent twice.
  net::ByteStream* body_stream = nullptr;
  std::uint64_t body_stream_bytes = 0;  // its length
  std::string content_type = "application/json";  // of the body
  Secret registry_auth;  // header `X-Registry-Auth`; empty: none
  std::string upgrade;  // protocol to change to, e.g. `tcp`; empty: none
  bool is_versioned = true;  // whether the path is below `/v1.xx`
  /// A status of 300 and above that is an answer and no failure, e.g. 404 where absent is success.
  std::vector<unsigned> accepted = {};
};

/// Head and body (but no streamed one) as they go over the wire, below the path of `version` where
/// the request wants that; a secret because of the credentials in its head. Source: RFC 9112;
/// Engine API, "X-Registry-Auth".
Secret make_message(
    const EngineRequest& request, const ApiVersion& version, const Endpoint& endpoint);

}  // namespace freshet::engine
