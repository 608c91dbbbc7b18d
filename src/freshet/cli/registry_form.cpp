// SPDX-License-Identifier: Apache-2.0
#include "freshet/cli/registry_form.hpp"

#include "freshet/base/files.hpp"
#include "freshet/registries/providers/catalogue.hpp"

#include <fmt/format.h>

namespace freshet::cli {
namespace {

constexpr std::size_t k_max_file_bytes = 1024UL * 1024;

void add_text(
    CLI::App& verb,
    const char* option,
    std::optional<std::string>& target,
    const char* help,
    const char* type) {
  verb.add_option(option, target, help)->type_name(type);
}

void add_switch(
    CLI::App& verb,
    const std::string& name,
    std::optional<bool>& target,
    const char* help,
    bool with_negation) {
  const std::string names =
      with_negation ? fmt::format("--{0},!--no-{0}", name) : fmt::format("--{}", name);
  verb.add_flag_function(
      names, [&target](std::int64_t count) { target = count > 0; }, help);
}

void add_where_options(CLI::App& verb, RegistryForm& form) {
  add_text(verb, "--domain", form.domain, "Its host, with port if need be", "HOST[:PORT]");
  add_text(verb, "--region", form.region, "ECR: region of AWS", "REGION");
  add_text(verb, "--location", form.location, "Artifact Registry: its location", "LOCATION");
  add_text(verb, "--mirror", form.mirror, "Ask it before the domain when pulling", "HOST[/PATH]");
  add_text(verb, "--prefix", form.prefix, "Put in front of every image name", "PREFIX");
  add_text(verb, "--fallback", form.fallback, "Registry to pull from when this one fails", "NAME");
}

void add_who_options(CLI::App& verb, RegistryForm& form, bool with_negations) {
  add_text(
      verb,
      "--username,--client-id,--access-key-id",
      form.username,
      "User that pulls and pushes, or what the provider has in its place",
      "USER");
  add_text(verb, "--keyfile", form.key_file, "Google: JSON key of a service account", "FILE");
  add_text(verb, "--role-arn", form.role_arn, "AWS: role to take", "ARN");
  add_switch(
      verb,
      "use-ambient-role",
      form.uses_ambient_role,
      "AWS: the identity of this machine instead of a key",
      with_negations);
}

void add_repository_options(CLI::App& verb, RegistryForm& form, bool with_negations) {
  add_switch(
      verb,
      "create-repositories",
      form.creates_repositories,
      "ECR: make missing repositories below the prefix",
      with_negations);
  add_switch(
      verb,
      "scan-on-push",
      form.scans_on_push,
      "ECR: have images scanned in repositories that are made",
      with_negations);
  add_switch(
      verb,
      "immutable-tags",
      form.has_immutable_tags,
      "ECR: let no tag be moved in repositories that are made",
      with_negations);
  add_text(
      verb,
      "--lifecycle-policy",
      form.lifecycle_policy_file,
      "ECR: lifecycle policy (JSON) of repositories that are made",
      "FILE");
}

void add_connection_options(CLI::App& verb, RegistryForm& form, bool with_negations) {
  add_text(verb, "--ca", form.ca_file, "Trust these certificates, too (PEM)", "FILE");
  add_text(verb, "--client-cert", form.client_certificate_file, "Client certificate (PEM)", "FILE");
  add_text(verb, "--client-key", form.client_key_file, "Key of that certificate (PEM)", "FILE");
  add_switch(
      verb,
      "plain-http",
      form.is_plain_http,
      "Speak http to it: everybody on the way can read the password",
      with_negations);
  add_switch(
      verb,
      "skip-tls-verify",
      form.is_verification_off,
      "Accept any certificate of it: anybody on the way can read the password",
      with_negations);
  add_text(verb, "--proxy", form.proxy, "Reach it through this proxy", "URL");
  add_text(verb, "--proxy-username", form.proxy_username, "User of the proxy", "USER");
  verb.add_option(
          "--proxy-password-fd",
          form.proxy_password.descriptor,
          "Read the proxy's password from this descriptor")
      ->type_name("N");
  add_text(
      verb,
      "--token-server",
      form.token_server,
      "Trust this host, and no other, to give out its tokens",
      "HOST[:PORT]");
  add_switch(
      verb,
      "behind-firewall",
      form.is_behind_firewall,
      "Only runners reach it: never test it from here",
      with_negations);
}

std::optional<std::string> load(const std::optional<std::string>& file) {
  if (!file) {
    return std::nullopt;
  }
  return file->empty() ? std::string() : load_file(*file, k_max_file_bytes);
}

std::string capitalised(std::string_view text) {
  std::string out(text);
  if (!out.empty() && out.front() >= 'a' && out.front() <= 'z') {
    out.front() = static_cast<char>(out.front() - 'a' + 'A');
  }
  return out;
}

}  // namespace

void add_password_options(CLI::App& verb, PasswordSource& source) {
  verb.add_flag("--password-stdin", source.from_stdin, "Read the password from standard input");
  verb.add_option("--password-fd", source.descriptor, "Read the password from this descriptor")
      ->type_name("N");
}

void add_form_options(CLI::App& verb, RegistryForm& form, bool with_negations) {
  add_where_options(verb, form);
  add_who_options(verb, form, with_negations);
  add_password_options(verb, form.password);
  add_repository_options(verb, form, with_negations);
  add_connection_options(verb, form, with_negations);
  verb.add_flag("--default", form.is_default, "Use it where a step names no registry");
  verb.add_flag("--cache", form.is_caching, "Use it as the caching registry");
  verb.add_flag("--primary", form.is_primary, "Pull with it from its domain");
}

registries::NewIntegration to_new_integration(
    const RegistryForm& form, const std::string& name, const std::string& provider) {
  registries::NewIntegration out;
  out.name = name;
  out.provider = provider;
  out.domain = form.domain.value_or("");
  out.location = form.location.value_or("");
  out.region = form.region.value_or("");
  out.username = form.username.value_or("");
  out.role_arn = form.role_arn.value_or("");
  out.uses_ambient_role = form.uses_ambient_role.value_or(false);
  out.creates_repositories = form.creates_repositories.value_or(false);
  out.repository_template.scans_on_push = form.scans_on_push.value_or(false);
  out.repository_template.has_immutable_tags = form.has_immutable_tags.value_or(false);
  out.repository_template.lifecycle_policy = load(form.lifecycle_policy_file).value_or("");
  out.repository_prefix = form.prefix.value_or("");
  out.fallback = form.fallback.value_or("");
  out.is_default = form.is_default;
  out.is_caching = form.is_caching;
  out.is_primary = form.is_primary;
  out.is_behind_firewall = form.is_behind_firewall.value_or(false);
  out.connection.is_plain_http = form.is_plain_http.value_or(false);
  out.connection.is_verification_off = form.is_verification_off.value_or(false);
  out.connection.ca_certificates = load(form.ca_file).value_or("");
  out.connection.client_certificate = load(form.client_certificate_file).value_or("");
  out.connection.proxy = form.proxy.value_or("");
  out.connection.proxy_username = form.proxy_username.value_or("");
  out.connection.mirror = form.mirror.value_or("");
  out.connection.token_server = form.token_server.value_or("");
  out.secrets.client_key = Secret(load(form.client_key_file).value_or(""));
  return out;
}

registries::IntegrationChange to_change(const RegistryForm& form) {
  registries::IntegrationChange out;
  out.domain = form.domain;
  out.region = form.region;
  out.location = form.location;
  out.username = form.username;
  out.role_arn = form.role_arn;
  out.uses_ambient_role = form.uses_ambient_role;
  out.creates_repositories = form.creates_repositories;
  out.scans_on_push = form.scans_on_push;
  out.has_immutable_tags = form.has_immutable_tags;
  out.lifecycle_policy = load(form.lifecycle_policy_file);
  out.repository_prefix = form.prefix;
  out.fallback = form.fallback;
  out.is_behind_firewall = form.is_behind_firewall;
  out.is_plain_http = form.is_plain_http;
  out.is_verification_off = form.is_verification_off;
  out.ca_certificates = load(form.ca_file);
  out.client_certificate = load(form.client_certificate_file);
  out.proxy = form.proxy;
  out.proxy_username = form.proxy_username;
  out.mirror = form.mirror;
  out.token_server = form.token_server;
  if (form.is_default) {
    out.is_default = true;
  }
  if (form.is_caching) {
    out.is_caching = true;
  }
  if (form.is_primary) {
    out.is_primary = true;
  }
  if (form.client_key_file) {
    out.secrets.client_key = Secret(*load(form.client_key_file));
  }
  return out;
}

Secret read_main_secret(
    const RegistryForm& form, const model::RegistryIntegration& registry, bool is_renewal) {
  if (form.key_file) {
    return Secret(load_file(*form.key_file, k_max_file_bytes));
  }
  const std::string_view label = registries::choice_of(registry).secret;
  const std::string what = is_renewal ? "New " + std::string(label) : capitalised(label);
  const std::string whose =
      registry.username.empty() ? std::string() : fmt::format(" of '{}'", registry.username);
  return read_password(
      form.password, fmt::format("{}{} for registry '{}'", what, whose, registry.name));
}

std::optional<Secret> read_proxy_password(const RegistryForm& form) {
  const bool is_named = form.proxy_username && !form.proxy_username->empty();
  if (!is_named && !form.proxy_password.descriptor) {
    return std::nullopt;
  }
  return read_password(
      form.proxy_password,
      fmt::format("Password of '{}' for the proxy", form.proxy_username.value_or("")));
}

}  // namespace freshet::cli
