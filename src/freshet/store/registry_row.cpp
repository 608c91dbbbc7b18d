// SPDX-License-Identifier: Apache-2.0
#include "freshet/store/registry_row.hpp"

#include "freshet/store/database.hpp"

#include <fmt/format.h>

namespace freshet::store {
namespace {

std::string query(const std::string& tail) {
  return fmt::format("SELECT {} FROM registry_integrations {}", k_registry_columns, tail);
}

int as_column(bool value) {
  return value ? 1 : 0;
}

}  // namespace

void RegistryRow::bind(soci::statement& statement) {
  const auto take = [&statement](auto& column) { statement.exchange(soci::into(column)); };
  take(columns.id);
  take(columns.name);
  take(provider);
  take(columns.preset);
  take(columns.domain);
  take(columns.username);
  take(columns.region);
  take(columns.role_arn);
  take(uses_ambient_role);
  take(creates_repositories);
  take(scans_on_push);
  take(has_immutable_tags);
  take(columns.repository_template.lifecycle_policy);
  take(columns.repository_prefix);
  take(columns.fallback_id);
  take(is_default);
  take(is_caching);
  take(is_primary);
  take(is_behind_firewall);
  take(is_plain_http);
  take(is_verification_off);
  take(columns.connection.ca_certificates);
  take(columns.connection.client_certificate);
  take(columns.connection.proxy);
  take(columns.connection.proxy_username);
  take(columns.connection.mirror);
  take(columns.connection.token_server);
  take(created_at);
}

model::RegistryIntegration RegistryRow::record() const {
  model::RegistryIntegration integration = columns;
  const auto known = model::provider_from_string(provider);
  if (!known) {
    throw Error(
        ErrorCode::corrupt_data,
        fmt::format("integration '{}' has the unknown provider '{}'", columns.name, provider))
        .with_hint("remove it and add it again");
  }
  integration.provider = *known;
  integration.uses_ambient_role = uses_ambient_role != 0;
  integration.creates_repositories = creates_repositories != 0;
  integration.repository_template.scans_on_push = scans_on_push != 0;
  integration.repository_template.has_immutable_tags = has_immutable_tags != 0;
  integration.is_default = is_default != 0;
  integration.is_caching = is_caching != 0;
  integration.is_primary = is_primary != 0;
  integration.is_behind_firewall = is_behind_firewall != 0;
  integration.connection.is_plain_http = is_plain_http != 0;
  integration.connection.is_verification_off = is_verification_off != 0;
  integration.created_at = from_stored(created_at);
  return integration;
}

void write_fields(soci::session& session, const model::RegistryIntegration& integration) {
  const model::RegistryConnection& connection = integration.connection;
  const model::RepositoryTemplate& created = integration.repository_template;
  change(
      session,
      "UPDATE registry_integrations SET provider = :provider, preset = :preset, domain = :domain, "
      "username = :username, region = :region, role_arn = :role_arn, "
      "uses_ambient_role = :ambient, creates_repositories = :creates, scans_on_push = :scans, "
      "has_immutable_tags = :immutable, lifecycle_policy = :policy, "
      "repository_prefix = :prefix, fallback_id = :fallback, is_behind_firewall = :firewall, "
      "is_plain_http = :plain, is_verification_off = :verification, ca_certificates = :ca, "
      "client_certificate = :certificate, proxy = :proxy, proxy_username = :proxy_username, "
      "mirror = :mirror, token_server = :token_server WHERE id = :id",
      std::string(to_string(integration.provider)),
      integration.preset,
      integration.domain,
      integration.username,
      integration.region,
      integration.role_arn,
      as_column(integration.uses_ambient_role),
      as_column(integration.creates_repositories),
      as_column(created.scans_on_push),
      as_column(created.has_immutable_tags),
      created.lifecycle_policy,
      integration.repository_prefix,
      integration.fallback_id,
      as_column(integration.is_behind_firewall),
      as_column(connection.is_plain_http),
      as_column(connection.is_verification_off),
      connection.ca_certificates,
      connection.client_certificate,
      connection.proxy,
      connection.proxy_username,
      connection.mirror,
      connection.token_server,
      integration.id);
}

std::vector<model::RegistryIntegration> select_registries(
    soci::session& session, const std::string& tail) {
  return select<RegistryRow>(session, query(tail));
}

std::vector<model::RegistryIntegration> select_registries(
    soci::session& session, const std::string& tail, const std::string& value) {
  return select<RegistryRow>(session, query(tail), value);
}

}  // namespace freshet::store
