// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/secret.hpp"
#include "freshet/model/registry.hpp"
#include "freshet/registries/providers/form.hpp"
#include "freshet/store/stores.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::registries {

/// A login as a container engine wants it.
struct RegistryLogin {
  std::string server;  // the key of its configuration: the domain, or Docker Hub's old address
  std::string username;
  Secret password;
};

/// The key under which engines look up the login for `domain`.
std::string login_server(std::string_view domain);

/// What a user wants changed; what is absent stays, an empty text takes away.
struct IntegrationChange {
  std::optional<std::string> name;
  std::optional<std::string> domain;
  std::optional<std::string> region;  // ECR: the same account elsewhere
  std::optional<std::string> location;  // GAR
  std::optional<std::string> username;
  std::optional<std::string> role_arn;
  std::optional<bool> uses_ambient_role;
  /// Turned off, it takes the template along, but for what the change says of it.
  std::optional<bool> creates_repositories;
  std::optional<bool> scans_on_push;
  std::optional<bool> has_immutable_tags;
  std::optional<std::string> lifecycle_policy;
  std::optional<std::string> repository_prefix;
  std::optional<std::string> fallback;  // name or id
  std::optional<bool> is_default;
  std::optional<bool> is_caching;
  std::optional<bool> is_primary;  // only true changes anything: the role is given to another
  std::optional<bool> is_behind_firewall;
  std::optional<bool> is_plain_http;
  std::optional<bool> is_verification_off;
  std::optional<std::string> ca_certificates;
  std::optional<std::string> client_certificate;
  std::optional<std::string> proxy;
  std::optional<std::string> proxy_username;
  std::optional<std::string> mirror;
  std::optional<std::string> token_server;
  model::RegistrySecretChanges secrets;
};

/// The connected registries and the rules about them; the store keeps what one transaction must
/// (names, roles). Blocking and thread-safe as the store is.
class Integrations {
 public:
  explicit Integrations(store::RegistryStore& store) : store_(store) {}

  /// Checks and brings into the stored form what the user said, all but the secrets, without
  /// storing it: what can be refused before a secret is asked for. Throws invalid_input.
  static model::RegistryIntegration validated(const NewIntegration& form) {
    return to_record(form);
  }
  /// Throws also conflict when the name is taken, invalid_input when the domain is one that only
  /// AWS knows (see `Connections::find_domain`).
  model::RegistryIntegration add(const NewIntegration& form);

  /// Oldest first.
  std::vector<model::RegistryIntegration> list() { return store_.list(); }
  /// By name, else by id, or by 8 or more characters of its start. Throws not_found, offering the
  /// nearest name and all known ones.
  model::RegistryIntegration get(std::string_view name_or_id);

  /// Changes all at once or nothing. Takes a name or id, throws not_found as `get` does, and checks
  /// as `add` does. A domain that changes, by whatever field, needs the secret again, and so does
  /// another token server: both are who gets to see it.
  model::RegistryIntegration change(std::string_view name_or_id, const IntegrationChange& change);
  /// The following do one such change.
  void set_default(std::string_view name_or_id);
  void set_caching(std::string_view name_or_id);
  void set_primary(std::string_view name_or_id);
  void set_prefix(std::string_view name_or_id, std::string_view prefix);
  void rename(std::string_view name_or_id, std::string_view new_name);
  void remove(std::string_view name_or_id);
  /// From now on only `host` is asked for tokens of this integration (an id), unless another is
  /// bound already. It has to be one that was trusted without that.
  void bind_token_server(std::string_view id, const std::string& host);

  std::optional<model::RegistryIntegration> default_integration();
  model::PushMode push_mode() { return store_.push_mode(); }
  void set_push_mode(model::PushMode mode) { store_.set_push_mode(mode); }
  model::RegistrySecrets secrets(const model::RegistryIntegration& integration) {
    return store_.secrets(integration.id);
  }

 private:
  store::RegistryStore& store_;
};

}  // namespace freshet::registries
