// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/secret.hpp"
#include "freshet/model/registry.hpp"
#include "freshet/store/stores.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::registries {

/// What a user says to connect a registry.
struct NewIntegration {
  std::string name;
  model::Provider provider = model::Provider::other;
  std::string domain;  // `other` only; Docker Hub's is fixed
  std::string username;
  Secret password;
  std::string repository_prefix;  // not for Docker Hub
  bool is_default = false;
  bool is_caching = false;
};

/// A login as a container engine wants it.
struct RegistryLogin {
  std::string server;  // the key of its configuration: the domain, or Docker Hub's old address
  std::string username;
  Secret password;
};

/// The key under which engines look up the login for `domain`.
std::string login_server(std::string_view domain);

/// The connected registries and the rules about them; the store keeps what one transaction must
/// (names, roles). Blocking and thread-safe as the store is.
class Integrations {
 public:
  explicit Integrations(store::RegistryStore& store) : store_(store) {}

  /// Checks and brings into the stored form what the user said, all but the password, without
  /// storing it: that is what a connection test before saving works on, and what can be refused
  /// before a password is asked for. Throws invalid_input, unsupported.
  static model::RegistryIntegration validated(const NewIntegration& wish);
  /// Throws also conflict when the name is taken.
  model::RegistryIntegration add(const NewIntegration& wish);

  /// Oldest first.
  std::vector<model::RegistryIntegration> list() { return store_.list(); }
  /// By name, else by id. Throws not_found, offering the nearest name and all known ones.
  model::RegistryIntegration get(std::string_view name_or_id);

  /// The following take a name or id, throw not_found as `get` does, and check as `add` does.
  void set_default(std::string_view name_or_id);
  void set_caching(std::string_view name_or_id);
  void set_prefix(std::string_view name_or_id, std::string_view prefix);
  void set_credentials(
      std::string_view name_or_id, std::string_view username, const Secret& password);
  void rename(std::string_view name_or_id, std::string_view new_name);
  void remove(std::string_view name_or_id);

  std::optional<model::RegistryIntegration> default_integration();
  /// Whose login pulls from `host` (any spelling): the only integration of that domain, else its
  /// primary one. nullopt: pull anonymously.
  std::optional<RegistryLogin> pull_auth(std::string_view host);
  RegistryLogin push_auth(const model::RegistryIntegration& integration);

 private:
  store::RegistryStore& store_;
};

}  // namespace freshet::registries
