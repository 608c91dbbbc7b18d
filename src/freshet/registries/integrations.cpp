// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/integrations.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"
#include "freshet/oci/reference.hpp"
#include "freshet/registries/naming.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::registries {
namespace {

constexpr std::string_view k_docker_hub = "docker.io";
constexpr std::size_t k_max_shown = 100;

[[noreturn]] void refuse(std::string message, std::string hint = {}) {
  throw Error(ErrorCode::invalid_input, std::move(message)).with_hint(std::move(hint));
}

void require_supported(model::Provider provider) {
  if (provider != model::Provider::dockerhub && provider != model::Provider::other) {
    throw Error(
        ErrorCode::unsupported,
        fmt::format("registry provider '{}' is not supported yet", model::to_string(provider)))
        .with_hint("where the registry takes a user name and password, use provider 'other'");
  }
}

std::string domain_of(const NewIntegration& wish) {
  if (wish.provider != model::Provider::dockerhub) {
    return validate_domain(wish.domain);
  }
  if (!trim(wish.domain).empty() && validate_domain(wish.domain) != k_docker_hub) {
    refuse(
        fmt::format(
            "provider 'dockerhub' has the fixed domain 'docker.io', not '{}'",
            printable(wish.domain, k_max_shown)),
        "use provider 'other' for another registry");
  }
  return std::string(k_docker_hub);
}

void require_prefix_fits(std::string_view domain, std::string_view prefix) {
  if (!prefix.empty() && domain == k_docker_hub) {
    refuse(
        "Docker Hub takes no repository prefix",
        "write the namespace into the image name: '<user>/<image>'");
  }
  const auto host = oci::leading_domain(std::string(prefix) + "/");
  if (host && oci::canonical_domain(*host) == domain) {
    refuse(
        fmt::format("repository prefix '{}' repeats the domain of the registry", prefix),
        "leave the domain out of the prefix");
  }
}

void require_can_cache(std::string_view domain) {
  if (domain == k_docker_hub) {
    refuse(
        "Docker Hub cannot be the caching registry: its names have one fixed level, and the cache "
        "needs abilities that it lacks",
        "choose another registry for caching; it may also be the default one");
  }
}

void require_no_control(std::string_view text) {
  const auto is_control = [](char c) { return (c >= '\0' && c < ' ') || c == '\x7F'; };
  if (std::ranges::any_of(text, is_control)) {
    refuse(
        "user name or password for the registry contains a line break or control character",
        "was it read from a file that ends in a line break?");
  }
}

void require_username(std::string_view username) {
  if (trim(username).empty()) {
    refuse("the user name for the registry is empty");
  }
  if (username.find(':') != std::string_view::npos) {
    refuse(fmt::format("user name '{}' contains ':'", printable(username, k_max_shown)));
  }
  require_no_control(username);
}

void require_password(const Secret& password) {
  if (password.is_empty()) {
    refuse("the password for the registry is empty");
  }
  require_no_control(password.reveal());
}

}  // namespace

std::string login_server(std::string_view domain) {
  return domain == k_docker_hub ? "https://index.docker.io/v1/" : std::string(domain);
}

model::RegistryIntegration Integrations::validated(const NewIntegration& wish) {
  require_supported(wish.provider);
  validate_integration_name(wish.name);
  model::RegistryIntegration integration;
  integration.name = wish.name;
  integration.provider = wish.provider;
  integration.domain = domain_of(wish);
  require_username(wish.username);
  integration.username = trim(wish.username);
  integration.repository_prefix = normalise_prefix(wish.repository_prefix);
  require_prefix_fits(integration.domain, integration.repository_prefix);
  integration.is_default = wish.is_default;
  integration.is_caching = wish.is_caching;
  if (wish.is_caching) {
    require_can_cache(integration.domain);
  }
  return integration;
}

model::RegistryIntegration Integrations::add(const NewIntegration& wish) {
  const model::RegistryIntegration integration = validated(wish);
  require_password(wish.password);
  return store_.add(integration, wish.password);
}

model::RegistryIntegration Integrations::get(std::string_view name_or_id) {
  if (auto found = store_.find(name_or_id)) {
    return *found;
  }
  std::vector<std::string> names;
  for (const model::RegistryIntegration& known : store_.list()) {
    names.push_back(known.name);
  }
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

void Integrations::set_default(std::string_view name_or_id) {
  store_.set_default(get(name_or_id).id);
}

void Integrations::set_caching(std::string_view name_or_id) {
  const model::RegistryIntegration integration = get(name_or_id);
  require_can_cache(integration.domain);
  store_.set_caching(integration.id);
}

void Integrations::set_prefix(std::string_view name_or_id, std::string_view prefix) {
  const model::RegistryIntegration integration = get(name_or_id);
  const std::string normal = normalise_prefix(prefix);
  require_prefix_fits(integration.domain, normal);
  store_.set_prefix(integration.id, normal);
}

void Integrations::set_credentials(
    std::string_view name_or_id, std::string_view username, const Secret& password) {
  const model::RegistryIntegration integration = get(name_or_id);
  require_username(username);
  require_password(password);
  store_.set_credentials(integration.id, trim(username), password);
}

void Integrations::rename(std::string_view name_or_id, std::string_view new_name) {
  const model::RegistryIntegration integration = get(name_or_id);
  validate_integration_name(new_name);
  store_.rename(integration.id, new_name);
}

void Integrations::remove(std::string_view name_or_id) {
  store_.remove(get(name_or_id).id);
}

std::optional<model::RegistryIntegration> Integrations::default_integration() {
  for (model::RegistryIntegration& integration : store_.list()) {
    if (integration.is_default) {
      return std::move(integration);
    }
  }
  return std::nullopt;
}

std::optional<RegistryLogin> Integrations::pull_auth(std::string_view host) {
  const std::string domain = oci::canonical_domain(host);
  std::vector<model::RegistryIntegration> matching = store_.list();
  std::erase_if(matching, [&](const model::RegistryIntegration& integration) {
    return oci::canonical_domain(integration.domain) != domain;
  });
  if (matching.empty()) {
    return std::nullopt;
  }
  const auto primary = std::ranges::find_if(matching, &model::RegistryIntegration::is_primary);
  return push_auth(matching.size() == 1 || primary == matching.end() ? matching.front() : *primary);
}

RegistryLogin Integrations::push_auth(const model::RegistryIntegration& integration) {
  return RegistryLogin{
      login_server(integration.domain), integration.username, store_.password(integration.id)};
}

}  // namespace freshet::registries
