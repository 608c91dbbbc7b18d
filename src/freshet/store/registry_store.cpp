// SPDX-License-Identifier: Apache-2.0
#include "freshet/store/registry_store.hpp"

#include <fmt/format.h>

namespace freshet::store {
namespace {

constexpr const char* k_select =
    "SELECT id, name, provider, domain, username, repository_prefix, is_default, is_caching, "
    "is_primary, created_at FROM registry_integrations ";

struct IntegrationRow {
  model::RegistryIntegration columns;
  std::string provider;
  int is_default = 0;
  int is_caching = 0;
  int is_primary = 0;
  long long created_at = 0;

  void bind(soci::statement& statement) {
    statement.exchange(soci::into(columns.id));
    statement.exchange(soci::into(columns.name));
    statement.exchange(soci::into(provider));
    statement.exchange(soci::into(columns.domain));
    statement.exchange(soci::into(columns.username));
    statement.exchange(soci::into(columns.repository_prefix));
    statement.exchange(soci::into(is_default));
    statement.exchange(soci::into(is_caching));
    statement.exchange(soci::into(is_primary));
    statement.exchange(soci::into(created_at));
  }

  model::RegistryIntegration record() const {
    model::RegistryIntegration integration = columns;
    const auto known = model::provider_from_string(provider);
    if (!known) {
      throw Error(
          ErrorCode::corrupt_data,
          fmt::format("integration '{}' has the unknown provider '{}'", columns.name, provider))
          .with_hint("remove it and add it again");
    }
    integration.provider = *known;
    integration.is_default = is_default != 0;
    integration.is_caching = is_caching != 0;
    integration.is_primary = is_primary != 0;
    integration.created_at = from_stored(created_at);
    return integration;
  }
};

SealedFor password_of(std::string_view id) {
  return {.purpose = "registry-password", .row_id = id};
}

model::RegistryIntegration get(soci::session& session, const std::string& id) {
  const auto found = select<IntegrationRow>(session, std::string(k_select) + "WHERE id = :id", id);
  if (found.empty()) {
    throw Error(ErrorCode::not_found, fmt::format("there is no integration with the id '{}'", id));
  }
  return found.front();
}

/// The unique column would refuse it as well, but in the words of SQL.
void require_free_name(
    soci::session& session, const std::string& name, const std::string& except_id) {
  const auto taken = select<TextRow>(
      session,
      "SELECT id FROM registry_integrations WHERE name = :name AND id <> :id",
      name,
      except_id);
  if (!taken.empty()) {
    throw Error(ErrorCode::conflict, fmt::format("an integration named '{}' exists already", name))
        .with_hint("choose another name, or remove that integration first");
  }
}

void require_can_cache(const model::RegistryIntegration& integration) {
  if (integration.provider == model::Provider::dockerhub || integration.domain == "docker.io") {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format(
            "integration '{}' cannot be the caching registry: Docker Hub lacks what the cache "
            "needs",
            integration.name))
        .with_hint("choose an integration for another registry");
  }
}

/// Two statements: a unique index looks at every row as it is written, not at the end.
void move_role(soci::session& session, const std::string& column, const std::string& id) {
  change(session, fmt::format("UPDATE registry_integrations SET {0} = 0 WHERE {0} = 1", column));
  change(
      session, fmt::format("UPDATE registry_integrations SET {} = 1 WHERE id = :id", column), id);
}

void insert(
    soci::session& session,
    const model::RegistryIntegration& integration,
    const std::string& sealed) {
  change(
      session,
      "INSERT INTO registry_integrations (id, name, provider, domain, username, sealed_password, "
      "repository_prefix, is_default, is_caching, is_primary, created_at) VALUES (:id, :name, "
      ":provider, :domain, :username, :sealed, :prefix, 0, 0, :is_primary, :created_at)",
      integration.id,
      integration.name,
      std::string(to_string(integration.provider)),
      integration.domain,
      integration.username,
      sealed,
      integration.repository_prefix,
      integration.is_primary ? 1 : 0,
      to_stored(integration.created_at));
}

}  // namespace

std::vector<model::RegistryIntegration> SqliteRegistryStore::list() {
  return database_.read([](soci::session& session) {
    return select<IntegrationRow>(session, std::string(k_select) + "ORDER BY position");
  });
}

std::optional<model::RegistryIntegration> SqliteRegistryStore::find(std::string_view name_or_id) {
  const std::string wanted(name_or_id);
  const auto found = database_.read([&](soci::session& session) {
    return select<IntegrationRow>(
        session,
        std::string(k_select) + "WHERE name = :name OR id = :id ORDER BY name = :again DESC",
        wanted,
        wanted,
        wanted);
  });
  return found.empty() ? std::nullopt : std::optional(found.front());
}

model::RegistryIntegration SqliteRegistryStore::add(
    model::RegistryIntegration integration, const Secret& password) {
  integration.id = make_id();
  integration.created_at = now();
  if (integration.is_caching) {
    require_can_cache(integration);
  }
  const std::string sealed = sealer_.seal(password, password_of(integration.id));
  database_.write([&](soci::session& session) {
    require_free_name(session, integration.name, integration.id);
    integration.is_primary = select<TextRow>(
                                 session,
                                 "SELECT id FROM registry_integrations WHERE domain = :domain",
                                 integration.domain)
                                 .empty();
    insert(session, integration, sealed);
    if (integration.is_default) {
      move_role(session, "is_default", integration.id);
    }
    if (integration.is_caching) {
      move_role(session, "is_caching", integration.id);
    }
  });
  return integration;
}

void SqliteRegistryStore::set_default(std::string_view id) {
  database_.write([&](soci::session& session) {
    const auto integration = get(session, std::string(id));
    move_role(session, "is_default", integration.id);
  });
}

void SqliteRegistryStore::set_caching(std::string_view id) {
  database_.write([&](soci::session& session) {
    const auto integration = get(session, std::string(id));
    require_can_cache(integration);
    move_role(session, "is_caching", integration.id);
  });
}

void SqliteRegistryStore::set_prefix(std::string_view id, std::string_view prefix) {
  database_.write([&](soci::session& session) {
    const auto integration = get(session, std::string(id));
    change(
        session,
        "UPDATE registry_integrations SET repository_prefix = :prefix WHERE id = :id",
        std::string(prefix),
        integration.id);
  });
}

void SqliteRegistryStore::rename(std::string_view id, std::string_view new_name) {
  const std::string name(new_name);
  database_.write([&](soci::session& session) {
    const auto integration = get(session, std::string(id));
    require_free_name(session, name, integration.id);
    change(
        session,
        "UPDATE registry_integrations SET name = :name WHERE id = :id",
        name,
        integration.id);
  });
}

void SqliteRegistryStore::set_credentials(
    std::string_view id, std::string_view username, const Secret& password) {
  const std::string sealed = sealer_.seal(password, password_of(id));
  database_.write([&](soci::session& session) {
    const auto integration = get(session, std::string(id));
    change(
        session,
        "UPDATE registry_integrations SET username = :username, sealed_password = :sealed WHERE id "
        "= :id",
        std::string(username),
        sealed,
        integration.id);
  });
}

void SqliteRegistryStore::remove(std::string_view id) {
  database_.write([&](soci::session& session) {
    const auto integration = get(session, std::string(id));
    change(session, "DELETE FROM registry_integrations WHERE id = :id", integration.id);
    if (integration.is_primary) {
      change(
          session,
          "UPDATE registry_integrations SET is_primary = 1 WHERE position = "
          "(SELECT MIN(position) FROM registry_integrations WHERE domain = :domain)",
          integration.domain);
    }
  });
}

Secret SqliteRegistryStore::password(std::string_view id) {
  std::string name;
  const std::string sealed = database_.read([&](soci::session& session) {
    const auto integration = get(session, std::string(id));
    name = integration.name;
    return select<TextRow>(
               session,
               "SELECT sealed_password FROM registry_integrations WHERE id = :id",
               integration.id)
        .at(0);
  });
  return in_context(fmt::format("reading the password of integration '{}'", name), [&] {
    return sealer_.unseal(sealed, password_of(id));
  });
}

}  // namespace freshet::store
