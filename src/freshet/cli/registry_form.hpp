// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/cli/password_input.hpp"
#include "freshet/registries/integrations.hpp"

#include <CLI/App.hpp>

#include <optional>
#include <string>

namespace freshet::cli {

/// What the command line says about a registry; absent is what it does not say.
struct RegistryForm {
  std::optional<std::string> domain;
  std::optional<std::string> region;
  std::optional<std::string> location;
  std::optional<std::string> username;  // or client id, access key id
  std::optional<std::string> role_arn;
  std::optional<std::string> prefix;
  std::optional<std::string> fallback;
  std::optional<std::string> proxy;
  std::optional<std::string> proxy_username;
  std::optional<std::string> mirror;
  std::optional<std::string> token_server;
  std::optional<std::string> ca_file;
  std::optional<std::string> client_certificate_file;
  std::optional<std::string> client_key_file;
  std::optional<std::string> key_file;
  std::optional<bool> uses_ambient_role;
  std::optional<bool> creates_repositories;
  std::optional<bool> scans_on_push;
  std::optional<bool> has_immutable_tags;
  std::optional<std::string> lifecycle_policy_file;
  std::optional<bool> is_behind_firewall;
  std::optional<bool> is_plain_http;
  std::optional<bool> is_verification_off;
  bool is_default = false;
  bool is_caching = false;
  bool is_primary = false;
  PasswordSource password;
  PasswordSource proxy_password;

  bool says_password() const {
    return key_file || password.from_stdin || password.descriptor.has_value();
  }
};

/// Adds the options of `form`, which must outlive `verb`. Switches get a `--no-…` beside them when
/// `with_negations`.
void add_form_options(CLI::App& verb, RegistryForm& form, bool with_negations);
void add_password_options(CLI::App& verb, PasswordSource& source);

/// What is to be connected, without its main secret. Reads the files that it names.
registries::NewIntegration to_new_integration(
    const RegistryForm& form, const std::string& name, const std::string& provider);
/// What is to be changed, without the main secret. Reads the files that it names.
registries::IntegrationChange to_change(const RegistryForm& form);

/// The main secret, from where the command line says, else asked for.
Secret read_main_secret(
    const RegistryForm& form, const model::RegistryIntegration& registry, bool is_renewal);
/// The password of the proxy, where a user of it is named.
std::optional<Secret> read_proxy_password(const RegistryForm& form);

}  // namespace freshet::cli
