// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/request_message.hpp"

#include <fmt/format.h>

namespace freshet::engine {
namespace {

std::string host_header(const Endpoint& endpoint) {
  if (endpoint.kind == Endpoint::Kind::unix_socket) {
    return "localhost";
  }
  return endpoint.to_string().substr(std::string_view("tcp://").size());
}

}  // namespace

Secret make_message(
    const EngineRequest& request, const ApiVersion& version, const Endpoint& endpoint) {
  std::string message;
  // One allocation, so that no copy of the credentials stays behind in freed memory.
  message.reserve(
      512 + request.path.size() + request.body.size() + request.registry_auth.reveal().size());
  message += request.method;
  message += ' ';
  if (request.is_versioned) {
    message += "/v" + version.to_string();
  }
  message += request.path;
  message += " HTTP/1.1\r\nHost: " + host_header(endpoint);
  message += "\r\nUser-Agent: freshet/" FRESHET_VERSION "\r\n";
  if (!request.upgrade.empty()) {
    message += "Connection: Upgrade\r\nUpgrade: " + request.upgrade + "\r\n";
  }
  if (!request.registry_auth.is_empty()) {
    message += "X-Registry-Auth: ";
    message += request.registry_auth.reveal();
    message += "\r\n";
  }
  const std::uint64_t body_bytes =
      request.body_stream != nullptr ? request.body_stream_bytes : request.body.size();
  if (body_bytes > 0) {
    message += "Content-Type: " + request.content_type + "\r\n";
  }
  // An upgraded connection has no body either, but old engines want no length there.
  if (request.method != "GET" && request.upgrade.empty()) {
    message += fmt::format("Content-Length: {}\r\n", body_bytes);
  }
  message += "\r\n";
  message += request.body;
  return Secret(std::move(message));
}

}  // namespace freshet::engine
