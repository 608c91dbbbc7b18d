// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/files.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace freshet::engine {

/// Where a Docker engine listens.
struct Endpoint {
  enum class Kind { unix_socket, tcp, tls };

  Kind kind = Kind::unix_socket;
  fs::path socket_path;  // unix_socket
  std::string host;  // tcp, tls
  std::string port;
  fs::path ca_file;  // tls; empty: the system's certificates
  fs::path certificate_file;  // tls; empty: no client certificate
  fs::path key_file;
  bool skip_verify = false;  // only when a context says so explicitly

  /// As a user would write it: `unix:///run/docker.sock`, `tcp://host:2376`.
  std::string to_string() const;
  /// Whether engine and Freshet see the same files: a unix socket, or TCP on a loopback address.
  bool shares_files() const;
};

/// What decides where the engine is: looked at in this order, the first that says something wins.
struct EndpointSources {
  std::optional<std::string> option;  // --engine: URL, path of a socket, or `context:NAME`
  std::function<std::optional<std::string>(std::string_view)>
      environment;  // DOCKER_HOST, DOCKER_CONTEXT, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH,
                    // DOCKER_CONFIG, HOME
};

/// Finds the endpoint as the docker command would: option, DOCKER_HOST (with DOCKER_TLS_VERIFY and
/// DOCKER_CERT_PATH), DOCKER_CONTEXT, the current context of `config.json`, the default socket.
/// Throws: invalid_input (malformed URL, unknown context), unsupported (`ssh://`, `npipe://`).
Endpoint find_endpoint(const EndpointSources& sources);

}  // namespace freshet::engine
