// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/model/registry.hpp"

#include <soci/soci.h>

#include <string>
#include <vector>

namespace freshet::store {

/// For `select`: one integration, its columns in the order of `k_registry_columns`.
struct RegistryRow {
  model::RegistryIntegration columns;
  std::string provider;
  int uses_ambient_role = 0;
  int creates_repositories = 0;
  int scans_on_push = 0;
  int has_immutable_tags = 0;
  int is_default = 0;
  int is_caching = 0;
  int is_primary = 0;
  int is_behind_firewall = 0;
  int is_plain_http = 0;
  int is_verification_off = 0;
  long long created_at = 0;

  void bind(soci::statement& statement);
  /// Throws corrupt_data when the provider is none that this program knows.
  model::RegistryIntegration record() const;
};

inline constexpr const char* k_registry_columns =
    "id, name, provider, preset, domain, username, region, role_arn, uses_ambient_role, "
    "creates_repositories, scans_on_push, has_immutable_tags, lifecycle_policy, repository_prefix, "
    "fallback_id, is_default, is_caching, is_primary, is_behind_firewall, is_plain_http, "
    "is_verification_off, ca_certificates, client_certificate, proxy, proxy_username, mirror, "
    "token_server, created_at";

/// Writes everything that no rule of the store is about: neither id, name, roles nor secrets.
void write_fields(soci::session& session, const model::RegistryIntegration& integration);

/// The integrations that `tail` (from `WHERE` on) chooses.
std::vector<model::RegistryIntegration> select_registries(
    soci::session& session, const std::string& tail);
std::vector<model::RegistryIntegration> select_registries(
    soci::session& session, const std::string& tail, const std::string& value);

}  // namespace freshet::store
