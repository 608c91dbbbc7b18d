// SPDX-License-Identifier: Apache-2.0
#include "freshet/cli/commands/registry_providers.hpp"

#include "freshet/cli/json_output.hpp"
#include "freshet/cli/table.hpp"
#include "freshet/registries/providers/catalogue.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <cstdio>

namespace freshet::cli {
namespace json = boost::json;
namespace {

using registries::DomainRule;
using registries::ProviderChoice;
using registries::ProviderField;

json::value or_null(std::string_view text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

json::object to_json(const ProviderChoice& choice) {
  json::array fields;
  for (const ProviderField& field : registries::fields_of(choice)) {
    fields.push_back({
        {"option", or_null(field.option)},
        {"label", field.label},
        {"required", field.is_required},
        {"secret", field.is_secret},
        {"help", or_null(field.help)},
    });
  }
  json::array domains;
  for (const std::string& domain : registries::domains_of(choice)) {
    domains.emplace_back(domain);
  }
  return {
      {"name", choice.name},
      {"provider", model::to_string(choice.provider)},
      {"label", choice.label},
      {"kind", choice.kind},
      {"domains", std::move(domains)},
      {"takes_prefix", choice.takes_prefix},
      {"fields", std::move(fields)},
  };
}

std::string domain_of(const ProviderChoice& choice) {
  switch (choice.domain_rule) {
    case DomainRule::fixed:
    case DomainRule::one_of:
      return std::string(choice.domains);
    case DomainRule::below:
      return "*." + registries::domains_of(choice).front();
    case DomainRule::gar_location:
      return "LOCATION-docker.pkg.dev";
    case DomainRule::ecr_region:
      return "ACCOUNT.dkr.ecr.REGION.amazonaws.com";
    case DomainRule::given:
      break;
  }
  return choice.domains.empty() ? "any host" : std::string(choice.domains) + " or any host";
}

void print_details(const ProviderChoice& choice) {
  fmt::print("{}\n  domain: {}\n", choice.label, domain_of(choice));
  for (const ProviderField& field : registries::fields_of(choice)) {
    const std::string option =
        field.option.empty() ? "asked for, or --password-stdin" : "--" + field.option;
    fmt::print("  {} ({}){}\n", field.label, option, field.is_required ? ", required" : "");
    if (!field.help.empty()) {
      fmt::print("      {}\n", field.help);
    }
  }
}

}  // namespace

int list_providers(const std::string& name, bool as_json) {
  if (!name.empty()) {
    const ProviderChoice& choice = registries::get_choice(name);
    if (as_json) {
      print_json(to_json(choice));
    } else {
      print_details(choice);
    }
    return 0;
  }
  if (as_json) {
    json::array documents;
    for (const ProviderChoice& choice : registries::provider_choices()) {
      documents.push_back(to_json(choice));
    }
    print_json({{"providers", std::move(documents)}});
    return 0;
  }
  Table table({"NAME", "REGISTRY", "DOMAIN"});
  for (const ProviderChoice& choice : registries::provider_choices()) {
    table.add({std::string(choice.name), std::string(choice.label), domain_of(choice)});
  }
  table.print(stdout);
  std::puts("\nWhat one of them asks for: freshet registry providers NAME");
  return 0;
}

}  // namespace freshet::cli
