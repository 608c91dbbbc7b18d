// SPDX-License-Identifier: Apache-2.0
#include "freshet/cli/commands/registry_show.hpp"

#include "freshet/base/text.hpp"
#include "freshet/cli/json_output.hpp"
#include "freshet/cli/table.hpp"
#include "freshet/registries/providers/catalogue.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

namespace freshet::cli {
namespace {

constexpr std::size_t k_short_id = 8;  // as many as `Integrations::get` wants

/// The choice that it was made from.
std::string provider_of(const model::RegistryIntegration& registry) {
  return std::string(registries::choice_of(registry).name);
}

std::string roles_of(const model::RegistryIntegration& registry) {
  std::vector<std::string> roles;
  if (registry.is_default) {
    roles.emplace_back("default");
  }
  if (registry.is_caching) {
    roles.emplace_back("caching");
  }
  if (registry.is_primary) {
    roles.emplace_back("primary");
  }
  if (registry.is_behind_firewall) {
    roles.emplace_back("firewall");
  }
  return join(roles, ",");
}

std::string list_switches(const model::RegistryIntegration& registry) {
  std::vector<std::string> switches;
  const auto add = [&](bool is_on, const char* name) {
    if (is_on) {
      switches.emplace_back(name);
    }
  };
  add(registry.uses_ambient_role, "ambient role");
  add(registry.creates_repositories, "creates repositories");
  add(registry.repository_template.scans_on_push, "scans on push");
  add(registry.repository_template.has_immutable_tags, "immutable tags");
  add(!registry.repository_template.lifecycle_policy.empty(), "lifecycle policy");
  add(registry.connection.is_plain_http, "plain http");
  add(registry.connection.is_verification_off, "certificate not verified");
  add(!registry.connection.ca_certificates.empty(), "own CA");
  add(!registry.connection.client_certificate.empty(), "client certificate");
  return join(switches, ", ");
}

/// By name; by id when it was removed meanwhile.
std::string name_of(Runtime& runtime, const std::string& id) {
  for (const model::RegistryIntegration& registry : runtime.integrations().list()) {
    if (registry.id == id) {
      return registry.name;
    }
  }
  return id;
}

/// What its images' names start with.
std::string place_of(const model::RegistryIntegration& registry) {
  const std::string& prefix = registry.repository_prefix;
  return prefix.empty() ? registry.domain : registry.domain + "/" + prefix;
}

}  // namespace

int list_registries(Runtime& runtime, bool as_json) {
  const std::vector<model::RegistryIntegration> registries = runtime.integrations().list();
  if (as_json) {
    return print_json_list(
        "registries", registries, [](const auto& registry) { return to_json(registry); });
  }
  if (registries.empty()) {
    std::puts("No registries yet. Connect one with:");
    std::puts("  freshet registry add NAME --domain HOST --username USER");
    return 0;
  }
  Table table({"ID", "NAME", "PROVIDER", "KIND", "DOMAIN/PREFIX", "ROLES"});
  for (const model::RegistryIntegration& registry : registries) {
    table.add(
        {registry.id.substr(0, k_short_id),
         registry.name,
         provider_of(registry),
         std::string(registries::choice_of(registry).kind),
         place_of(registry),
         roles_of(registry)});
  }
  constexpr std::size_t k_place = 4;
  table.let_shrink(k_place);
  table.print(stdout);
  return 0;
}

int show_registry(Runtime& runtime, const std::string& name, bool as_json) {
  const model::RegistryIntegration registry = runtime.integrations().get(name);
  if (as_json) {
    print_json(to_json(registry));
    return 0;
  }
  const registries::ProviderChoice& choice = registries::choice_of(registry);
  const std::vector<std::pair<std::string_view, std::string>> fields{
      {"Name", registry.name},
      {"Provider", fmt::format("{} ({})", provider_of(registry), choice.label)},
      {"Kind", std::string(choice.kind)},
      {"Domain", registry.domain},
      {"Region", registry.region},
      {"Role", registry.role_arn},
      {"Username", registry.username},
      {"Password", registries::needs_password(registry) ? "stored, sealed" : ""},
      {"Prefix", registry.repository_prefix.empty() ? "none" : registry.repository_prefix},
      {"Fallback", name_of(runtime, registry.fallback_id)},
      {"Mirror", registry.connection.mirror},
      {"Proxy", registry.connection.proxy},
      {"Tokens", registry.connection.token_server},
      {"Switches", list_switches(registry)},
      {"Roles", roles_of(registry).empty() ? "none" : roles_of(registry)},
      {"Added", to_rfc3339(registry.created_at)},
      {"Id", registry.id},
  };
  for (const auto& [label, value] : fields) {
    if (!value.empty()) {
      fmt::print("{:<10} {}\n", label, value);
    }
  }
  return 0;
}

}  // namespace freshet::cli
