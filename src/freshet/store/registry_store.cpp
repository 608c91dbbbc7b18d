// SPDX-License-Identifier: Apache-2.0
#include "freshet/store/registry_store.hpp"

#include "freshet/base/text.hpp"
#include "freshet/store/registry_row.hpp"

#include <fmt/format.h>

namespace freshet::store {
namespace {

using model::RegistryIntegration;
using model::RegistrySecretChanges;
using model::RegistrySecrets;

constexpr std::size_t k_max_shown = 100;

/// Where one kind of secret is kept and what it is bound to beside the row.
struct SecretColumn {
  const char* column;
  std::string_view purpose;
};

constexpr SecretColumn k_password{"sealed_password", "registry-password"};
constexpr SecretColumn k_client_key{"sealed_client_key", "registry-client-key"};
constexpr SecretColumn k_proxy_password{"sealed_proxy_password", "registry-proxy-password"};

void write_secret(
    soci::session& session,
    const Sealer& sealer,
    const SecretColumn& column,
    const std::string& id,
    const Secret& secret) {
  const std::string sealed =
      secret.is_empty() ? std::string() : sealer.seal(secret, {column.purpose, id});
  change(
      session,
      fmt::format("UPDATE registry_integrations SET {} = :sealed WHERE id = :id", column.column),
      sealed,
      id);
}

void write_secrets(
    soci::session& session,
    const Sealer& sealer,
    const std::string& id,
    const RegistrySecretChanges& secrets) {
  const auto write = [&](const SecretColumn& column, const std::optional<Secret>& secret) {
    if (secret) {
      write_secret(session, sealer, column, id, *secret);
    }
  };
  write(k_password, secrets.password);
  write(k_client_key, secrets.client_key);
  write(k_proxy_password, secrets.proxy_password);
}

RegistryIntegration get(soci::session& session, const std::string& id) {
  const auto found = select_registries(session, "WHERE id = :id", id);
  if (found.empty()) {
    throw Error(ErrorCode::not_found, fmt::format("there is no integration with the id '{}'", id));
  }
  return found.front();
}

/// The table of names would refuse it as well, but in the words of SQL.
void require_free_name(soci::session& session, const std::string& name) {
  const auto taken =
      select<TextRow>(session, "SELECT kind FROM shared_names WHERE name = :name", name);
  if (taken.empty()) {
    return;
  }
  if (taken.front() == "registry") {
    throw Error(ErrorCode::conflict, fmt::format("an integration named '{}' exists already", name))
        .with_hint("choose another name, or remove that integration first");
  }
  throw Error(ErrorCode::conflict, fmt::format("a {} named '{}' exists already", taken[0], name))
      .with_hint("integrations and shared configurations share their names: choose another one");
}

void require_can_cache(const RegistryIntegration& integration) {
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

void require_fallback(soci::session& session, const RegistryIntegration& integration) {
  if (integration.fallback_id.empty()) {
    return;
  }
  if (integration.fallback_id == integration.id) {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format("integration '{}' cannot be its own fallback", integration.name));
  }
  if (select_registries(session, "WHERE id = :id", integration.fallback_id).empty()) {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format(
            "the fallback of integration '{}' does not exist: '{}'",
            integration.name,
            printable(integration.fallback_id, k_max_shown)));
  }
}

/// Two statements: a unique index looks at every row as it is written, not at the end.
void move_role(soci::session& session, const std::string& column, const std::string& id) {
  change(session, fmt::format("UPDATE registry_integrations SET {0} = 0 WHERE {0} = 1", column));
  change(
      session, fmt::format("UPDATE registry_integrations SET {} = 1 WHERE id = :id", column), id);
}

void give_up_role(soci::session& session, const std::string& column, const std::string& id) {
  change(
      session, fmt::format("UPDATE registry_integrations SET {} = 0 WHERE id = :id", column), id);
}

void make_primary(soci::session& session, const std::string& domain, const std::string& id) {
  change(
      session,
      "UPDATE registry_integrations SET is_primary = 0 WHERE domain = :domain AND is_primary = 1",
      domain);
  change(session, "UPDATE registry_integrations SET is_primary = 1 WHERE id = :id", id);
}

/// Makes the oldest integration of a domain primary where none is.
void require_primary(soci::session& session, const std::string& domain) {
  const auto of_domain = select_registries(
      session, "WHERE domain = :domain ORDER BY is_primary DESC, position", domain);
  if (!of_domain.empty() && !of_domain.front().is_primary) {
    make_primary(session, domain, of_domain.front().id);
  }
}

void settle_role(
    soci::session& session, const std::string& column, const std::string& id, bool was, bool is) {
  if (is && !was) {
    move_role(session, column, id);
  } else if (was && !is) {
    give_up_role(session, column, id);
  }
}

void insert(soci::session& session, const RegistryIntegration& integration) {
  change(
      session,
      "INSERT INTO registry_integrations (id, name, provider, domain, username, sealed_password, "
      "repository_prefix, is_default, is_caching, is_primary, created_at) VALUES (:id, :name, "
      ":provider, :domain, '', '', '', 0, 0, 0, :created_at)",
      integration.id,
      integration.name,
      std::string(to_string(integration.provider)),
      integration.domain,
      to_stored(integration.created_at));
  write_fields(session, integration);
}

/// Secrets stay with the host that they were given for.
RegistrySecretChanges bound_secrets(
    const RegistryIntegration& before,
    const RegistryIntegration& after,
    RegistrySecretChanges secrets) {
  const bool is_moved = before.domain != after.domain;
  if (is_moved && !secrets.password && !after.uses_ambient_role) {
    throw Error(
        ErrorCode::invalid_input,
        fmt::format(
            "integration '{}' moves from '{}' to '{}': its password has to be given again",
            before.name,
            before.domain,
            after.domain))
        .with_hint("a stored password is never sent to another host");
  }
  if (is_moved && !secrets.password) {
    secrets.password = Secret();
  }
  const bool is_proxy_other = before.connection.proxy != after.connection.proxy ||
                              before.connection.proxy_username != after.connection.proxy_username;
  if (is_proxy_other && !secrets.proxy_password) {
    secrets.proxy_password = Secret();
  }
  if (after.connection.client_certificate.empty() && !secrets.client_key) {
    secrets.client_key = Secret();
  }
  return secrets;
}

void settle_primary(
    soci::session& session, const RegistryIntegration& before, const RegistryIntegration& after) {
  const bool is_moved = before.domain != after.domain;
  if (is_moved) {
    require_primary(session, before.domain);
  }
  if (after.is_primary && (is_moved || !before.is_primary)) {
    make_primary(session, after.domain, after.id);
  }
  require_primary(session, after.domain);
}

}  // namespace

std::vector<RegistryIntegration> SqliteRegistryStore::list() {
  return database_.read(
      [](soci::session& session) { return select_registries(session, "ORDER BY position"); });
}

std::optional<RegistryIntegration> SqliteRegistryStore::find(std::string_view name_or_id) {
  const std::string wanted(name_or_id);
  const auto found = database_.read([&](soci::session& session) {
    auto rows = select_registries(session, "WHERE name = :name", wanted);
    return rows.empty() ? select_registries(session, "WHERE id = :id", wanted) : rows;
  });
  return found.empty() ? std::nullopt : std::optional(found.front());
}

RegistryIntegration SqliteRegistryStore::add(
    RegistryIntegration integration, const RegistrySecrets& secrets) {
  integration.id = make_id();
  integration.created_at = now();
  if (integration.is_caching) {
    require_can_cache(integration);
  }
  return database_.write([&](soci::session& session) {
    require_free_name(session, integration.name);
    require_fallback(session, integration);
    insert(session, integration);
    write_secrets(
        session,
        sealer_,
        integration.id,
        {secrets.password, secrets.client_key, secrets.proxy_password});
    settle_role(session, "is_default", integration.id, false, integration.is_default);
    settle_role(session, "is_caching", integration.id, false, integration.is_caching);
    if (integration.is_primary) {
      make_primary(session, integration.domain, integration.id);
    }
    require_primary(session, integration.domain);
    return get(session, integration.id);
  });
}

RegistryIntegration SqliteRegistryStore::update(
    std::string_view id, const Edit& edit, const RegistrySecretChanges& secrets) {
  const std::string wanted(id);
  return database_.write([&](soci::session& session) {
    const RegistryIntegration before = get(session, wanted);
    RegistryIntegration after = before;
    edit(after);
    after.id = before.id;
    after.created_at = before.created_at;
    const bool is_moved = before.domain != after.domain;
    if (is_moved && after.connection.token_server == before.connection.token_server) {
      after.connection.token_server.clear();
    }
    if (after.name != before.name) {
      require_free_name(session, after.name);
      change(
          session,
          "UPDATE registry_integrations SET name = :name WHERE id = :id",
          after.name,
          after.id);
    }
    if (after.is_caching) {
      require_can_cache(after);
    }
    require_fallback(session, after);
    const RegistrySecretChanges bound = bound_secrets(before, after, secrets);
    if (is_moved) {
      give_up_role(session, "is_primary", after.id);
    }
    write_fields(session, after);
    write_secrets(session, sealer_, after.id, bound);
    settle_role(session, "is_default", after.id, before.is_default, after.is_default);
    settle_role(session, "is_caching", after.id, before.is_caching, after.is_caching);
    settle_primary(session, before, after);
    return get(session, after.id);
  });
}

void SqliteRegistryStore::remove(std::string_view id) {
  database_.write([&](soci::session& session) {
    const auto integration = get(session, std::string(id));
    change(session, "DELETE FROM registry_integrations WHERE id = :id", integration.id);
    change(
        session,
        "UPDATE registry_integrations SET fallback_id = '' WHERE fallback_id = :id",
        integration.id);
    require_primary(session, integration.domain);
  });
}

model::PushMode SqliteRegistryStore::push_mode() {
  const auto stored = database_.read([](soci::session& session) {
    return select<TextRow>(session, "SELECT value FROM properties WHERE name = 'push_mode'");
  });
  if (stored.empty()) {
    return model::PushMode::automatic;
  }
  const auto mode = model::push_mode_from_string(stored.front());
  if (!mode) {
    throw Error(
        ErrorCode::corrupt_data,
        fmt::format("the stored push mode '{}' is unknown", printable(stored[0], k_max_shown)))
        .with_hint("set it again with 'freshet registry push-mode'");
  }
  return *mode;
}

void SqliteRegistryStore::set_push_mode(model::PushMode mode) {
  database_.write([&](soci::session& session) {
    change(
        session,
        "INSERT INTO properties (name, value) VALUES ('push_mode', :value) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        std::string(to_string(mode)));
  });
}

RegistrySecrets SqliteRegistryStore::secrets(std::string_view id) {
  std::string name;
  const std::string row_id(id);
  const auto load = [&](soci::session& session, const SecretColumn& column) {
    const std::string query =
        fmt::format("SELECT {} FROM registry_integrations WHERE id = :id", column.column);
    return select<TextRow>(session, query, row_id).at(0);
  };
  std::vector<std::string> sealed = database_.read([&](soci::session& session) {
    name = get(session, row_id).name;
    return std::vector<std::string>{
        load(session, k_password), load(session, k_client_key), load(session, k_proxy_password)};
  });
  const auto unseal = [&](const std::string& text, const SecretColumn& column) {
    return text.empty() ? Secret() : sealer_.unseal(text, {column.purpose, row_id});
  };
  return in_context(fmt::format("reading the password of integration '{}'", name), [&] {
    RegistrySecrets secrets(unseal(sealed[0], k_password));
    secrets.client_key = unseal(sealed[1], k_client_key);
    secrets.proxy_password = unseal(sealed[2], k_proxy_password);
    return secrets;
  });
}

}  // namespace freshet::store
