// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/engine_reach.hpp"

#include "freshet/base/text.hpp"

#include <fmt/format.h>

#include <vector>

namespace freshet::registries {
namespace {

/// Those settings that hold wherever requests for the integration go, its mirror too.
std::vector<std::string> common_obstacles(const model::RegistryConnection& connection) {
  std::vector<std::string> out;
  if (!connection.ca_certificates.empty()) {
    out.emplace_back("CA certificates");
  }
  if (!connection.proxy.empty()) {
    out.emplace_back("proxy");
  }
  return out;
}

std::string sentence(
    const model::RegistryIntegration& integration, const std::vector<std::string>& obstacles) {
  return obstacles.empty() ? std::string()
                           : fmt::format(
                                 "cannot be told the {} of registry '{}'",
                                 join(obstacles, ", "),
                                 integration.name);
}

}  // namespace

std::string why_beyond_engine(const model::RegistryIntegration& integration) {
  const model::RegistryConnection& connection = integration.connection;
  std::vector<std::string> obstacles = common_obstacles(connection);
  if (!connection.client_certificate.empty()) {
    obstacles.emplace_back("client certificate");
  }
  if (connection.is_verification_off) {
    obstacles.emplace_back("permission to skip TLS verification");
  }
  if (connection.is_plain_http) {
    obstacles.emplace_back("permission to use plain http");
  }
  return sentence(integration, obstacles);
}

std::string why_beyond_engine(const PullCandidate& way) {
  if (!way.integration) {
    return {};
  }
  if (way.is_mirror) {
    return sentence(*way.integration, common_obstacles(way.integration->connection));
  }
  return why_beyond_engine(*way.integration);
}

}  // namespace freshet::registries
