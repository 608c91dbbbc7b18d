// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/integrations.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"
#include "freshet/registries/aws/names.hpp"
#include "freshet/registries/tls_material.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace freshet::registries {
namespace {

using model::RegistryIntegration;
using model::RegistrySecretChanges;

constexpr std::string_view k_docker_hub = "docker.io";
constexpr std::size_t k_max_shown = 100;

[[noreturn]] void refuse(std::string message, std::string hint = {}) {
  throw Error(ErrorCode::invalid_input, std::move(message)).with_hint(std::move(hint));
}

template <class T>
void assign(T& field, const std::optional<T>& wanted) {
  if (wanted) {
    field = *wanted;
  }
}

void move_region(RegistryIntegration& record, const std::string& region) {
  const auto domain = aws::parse_ecr_domain(record.domain);
  if (record.provider != model::Provider::ecr || !domain) {
    refuse(fmt::format("integration '{}' has no region", record.name));
  }
  if (!aws::is_region(region)) {
    refuse(fmt::format("'{}' is not a region of AWS", printable(region, k_max_shown)));
  }
  record.region = region;
  record.domain = aws::make_ecr_domain(domain->account, region);
}

void move_location(RegistryIntegration& record, const std::string& location) {
  if (record.provider != model::Provider::gar) {
    refuse(fmt::format("integration '{}' has no location", record.name));
  }
  record.domain = location;  // is completed with the other rules of the provider
}

void apply_connection(model::RegistryConnection& connection, const IntegrationChange& change) {
  assign(connection.is_plain_http, change.is_plain_http);
  assign(connection.is_verification_off, change.is_verification_off);
  assign(connection.ca_certificates, change.ca_certificates);
  assign(connection.client_certificate, change.client_certificate);
  assign(connection.proxy, change.proxy);
  assign(connection.proxy_username, change.proxy_username);
  assign(connection.mirror, change.mirror);
  assign(connection.token_server, change.token_server);
  if (connection.proxy.empty()) {
    connection.proxy_username.clear();
  }
}

void apply_template(RegistryIntegration& record, const IntegrationChange& change) {
  assign(record.creates_repositories, change.creates_repositories);
  if (!record.creates_repositories) {
    record.repository_template = {};
  }
  assign(record.repository_template.scans_on_push, change.scans_on_push);
  assign(record.repository_template.has_immutable_tags, change.has_immutable_tags);
  assign(record.repository_template.lifecycle_policy, change.lifecycle_policy);
}

void apply(RegistryIntegration& record, const IntegrationChange& change) {
  assign(record.name, change.name);
  if (change.domain && *change.domain != record.domain) {
    record.domain = *change.domain;
    record.region.clear();  // the domain says it
  }
  assign(record.username, change.username);
  assign(record.role_arn, change.role_arn);
  assign(record.uses_ambient_role, change.uses_ambient_role);
  apply_template(record, change);
  assign(record.repository_prefix, change.repository_prefix);
  assign(record.is_default, change.is_default);
  assign(record.is_caching, change.is_caching);
  assign(record.is_primary, change.is_primary);
  assign(record.is_behind_firewall, change.is_behind_firewall);
  apply_connection(record.connection, change);
  if (record.uses_ambient_role && !change.username) {
    record.username.clear();
  }
  if (change.region) {
    move_region(record, *change.region);
  }
  if (change.location) {
    move_location(record, *change.location);
  }
}

/// What the change of the record means for the secrets.
void check_secrets(
    const RegistryIntegration& before,
    const RegistryIntegration& after,
    RegistrySecretChanges& secrets) {
  if (secrets.password) {
    secrets.password = checked_password(after, *secrets.password);
  } else if (!needs_password(after)) {
    secrets.password = Secret();
  } else if (!needs_password(before)) {
    refuse(fmt::format("integration '{}' now needs its {}", after.name, choice_of(after).secret));
  }
  const std::string& token_server = after.connection.token_server;
  if (!token_server.empty() && token_server != before.connection.token_server &&
      !secrets.password) {
    refuse(
        fmt::format(
            "integration '{}' gets the token server '{}': its {} has to be given again",
            after.name,
            token_server,
            choice_of(after).secret),
        "a stored secret is never sent to another host");
  }
  const std::string& certificate = after.connection.client_certificate;
  if (certificate != before.connection.client_certificate && !certificate.empty() &&
      !secrets.client_key) {
    refuse("the client certificate has no key", "give its file with --client-key");
  }
  if (secrets.client_key && !secrets.client_key->is_empty()) {
    if (certificate.empty()) {
      refuse("the client key has no certificate", "give its file with --client-cert");
    }
    require_key_fits(certificate, *secrets.client_key);
  }
  const bool has_proxy_password = secrets.proxy_password && !secrets.proxy_password->is_empty();
  if (has_proxy_password && after.connection.proxy_username.empty()) {
    refuse("there is a password for the proxy but no user", "name it with --proxy-username");
  }
}

/// nullopt when none, or several.
std::optional<RegistryIntegration> find_by_short_id(
    const std::vector<RegistryIntegration>& all, std::string_view start) {
  constexpr std::size_t k_min_characters = 8;
  const auto fits = [&](const RegistryIntegration& one) { return one.id.starts_with(start); };
  if (start.size() < k_min_characters || std::ranges::count_if(all, fits) != 1) {
    return std::nullopt;
  }
  return *std::ranges::find_if(all, fits);
}

}  // namespace

std::string login_server(std::string_view domain) {
  return domain == k_docker_hub ? "https://index.docker.io/v1/" : std::string(domain);
}

RegistryIntegration Integrations::add(const NewIntegration& form) {
  RegistryIntegration record = validated(form);
  const model::RegistrySecrets secrets = checked_secrets(record, form.secrets);
  if (!form.fallback.empty()) {
    record.fallback_id = get(form.fallback).id;
  }
  if (record.domain.empty()) {
    refuse(
        fmt::format("the domain of integration '{}' is not known", record.name),
        "name it with --domain: ACCOUNT.dkr.ecr.REGION.amazonaws.com");
  }
  return store_.add(record, secrets);
}

RegistryIntegration Integrations::get(std::string_view name_or_id) {
  if (auto found = store_.find(name_or_id)) {
    return *found;
  }
  const std::vector<RegistryIntegration> all = store_.list();
  if (auto found = find_by_short_id(all, name_or_id)) {
    return *found;
  }
  std::vector<std::string> names;
  std::ranges::transform(all, std::back_inserter(names), &RegistryIntegration::name);
  std::string hint = "no registry is connected yet";
  if (!names.empty()) {
    hint = "known are: " + join(names, ", ");
    if (const auto close = nearest(name_or_id, names)) {
      hint = fmt::format("did you mean '{}'? {}", *close, hint);
    }
  }
  throw Error(
      ErrorCode::not_found,
      fmt::format("there is no registry integration '{}'", printable(name_or_id, k_max_shown)))
      .with_hint(std::move(hint));
}

RegistryIntegration Integrations::change(
    std::string_view name_or_id, const IntegrationChange& change) {
  const std::string id = get(name_or_id).id;
  std::optional<std::string> fallback_id;
  if (change.fallback) {
    fallback_id = change.fallback->empty() ? std::string() : get(*change.fallback).id;
  }
  RegistrySecretChanges secrets = change.secrets;  // the store reads it after the edit
  const auto edit = [&](RegistryIntegration& record) {
    const RegistryIntegration before = record;
    apply(record, change);
    assign(record.fallback_id, fallback_id);
    normalise(record);
    check_secrets(before, record, secrets);
  };
  return store_.update(id, edit, secrets);
}

void Integrations::set_default(std::string_view name_or_id) {
  IntegrationChange wish;
  wish.is_default = true;
  change(name_or_id, wish);
}

void Integrations::set_caching(std::string_view name_or_id) {
  IntegrationChange wish;
  wish.is_caching = true;
  change(name_or_id, wish);
}

void Integrations::set_primary(std::string_view name_or_id) {
  IntegrationChange wish;
  wish.is_primary = true;
  change(name_or_id, wish);
}

void Integrations::set_prefix(std::string_view name_or_id, std::string_view prefix) {
  IntegrationChange wish;
  wish.repository_prefix = prefix;
  change(name_or_id, wish);
}

void Integrations::rename(std::string_view name_or_id, std::string_view new_name) {
  IntegrationChange wish;
  wish.name = new_name;
  change(name_or_id, wish);
}

void Integrations::remove(std::string_view name_or_id) {
  store_.remove(get(name_or_id).id);
}

void Integrations::bind_token_server(std::string_view id, const std::string& host) {
  const auto bind = [&](RegistryIntegration& record) {
    if (record.connection.token_server.empty()) {
      record.connection.token_server = host;
    }
  };
  store_.update(id, bind);
}

std::optional<RegistryIntegration> Integrations::default_integration() {
  for (RegistryIntegration& integration : store_.list()) {
    if (integration.is_default) {
      return std::move(integration);
    }
  }
  return std::nullopt;
}

}  // namespace freshet::registries
