// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/providers/form.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"
#include "freshet/oci/reference.hpp"
#include "freshet/registries/aws/names.hpp"
#include "freshet/registries/naming.hpp"
#include "freshet/registries/providers/connection_form.hpp"
#include "freshet/registries/providers/created_repositories.hpp"
#include "freshet/registries/providers/problems.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::registries {
namespace {

constexpr std::string_view k_docker_hub = "docker.io";
constexpr std::string_view k_gar_suffix = "-docker.pkg.dev";
constexpr std::size_t k_max_shown = 100;

std::string shown(std::string_view text) {
  return printable(text, k_max_shown);
}

[[noreturn]] void refuse(std::string message, std::string hint = {}) {
  throw Error(ErrorCode::invalid_input, std::move(message)).with_hint(std::move(hint));
}

bool is_aws(const ProviderChoice& choice) {
  return choice.secret_rule == SecretRule::aws_key;
}

/// The location that a GAR domain names; the text itself when it is none.
std::string location_of(std::string_view text) {
  if (text.ends_with(k_gar_suffix)) {
    text.remove_suffix(k_gar_suffix.size());
  }
  return std::string(text);
}

std::string gar_domain(const std::string& location) {
  const bool is_location =
      !location.empty() && location.size() <= 40 && location.front() >= 'a' &&
      location.front() <= 'z' && location.back() != '-' &&
      location.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
  if (location.empty()) {
    refuse("the location of the registry is empty", "write a region or multi-region: europe-west1");
  }
  if (!is_location) {
    refuse(
        fmt::format("'{}' is not a location", shown(location)),
        "write a region or multi-region: europe-west1");
  }
  return location + std::string(k_gar_suffix);
}

std::string fixed_domain(const ProviderChoice& choice, const std::string& wanted) {
  if (!wanted.empty() && validate_domain(wanted) != choice.domains) {
    refuse(
        fmt::format(
            "provider '{}' has the fixed domain '{}', not '{}'",
            choice.name,
            choice.domains,
            shown(wanted)),
        "use provider 'other' for another registry");
  }
  return std::string(choice.domains);
}

std::string listed_domain(const ProviderChoice& choice, const std::string& wanted) {
  const std::vector<std::string> known = domains_of(choice);
  const std::string domain = validate_domain(wanted);
  if (std::ranges::find(known, domain) == known.end()) {
    refuse(
        fmt::format("'{}' is no host of {}", domain, choice.label),
        "write one of: " + join(known, ", "));
  }
  return domain;
}

std::string domain_below(const ProviderChoice& choice, const std::string& wanted) {
  const std::vector<std::string> parents = domains_of(choice);
  const std::string domain = validate_domain(wanted);
  const bool is_below = std::ranges::any_of(parents, [&](const std::string& parent) {
    return domain.ends_with("." + parent) && domain.size() > parent.size() + 1;
  });
  if (!is_below) {
    refuse(
        fmt::format("'{}' is no host of {}", domain, choice.label),
        fmt::format("write the login server, such as NAME.{}", parents.front()));
  }
  return domain;
}

/// Fills in what domain, region and role say about each other; the domain may stay empty.
void settle_ecr(model::RegistryIntegration& record, Problems& problems) {
  if (!record.domain.empty()) {
    const auto domain = aws::parse_ecr_domain(record.domain);
    if (!domain) {
      problems.add(
          fmt::format("'{}' is no host of Amazon ECR", shown(record.domain)),
          "write ACCOUNT.dkr.ecr.REGION.amazonaws.com, or leave the domain out");
    } else if (!record.region.empty() && record.region != domain->region) {
      problems.add(fmt::format(
          "domain '{}' is in region '{}', not in '{}'",
          record.domain,
          domain->region,
          shown(record.region)));
    } else {
      record.region = domain->region;
    }
    return;
  }
  if (record.region.empty()) {
    problems.add("the region of the registry is empty", "write the region of AWS, e.g. eu-west-1");
    return;
  }
  if (!aws::is_region(record.region)) {
    problems.add(fmt::format("'{}' is not a region of AWS", shown(record.region)));
    return;
  }
  if (const auto account = aws::account_of_role(record.role_arn)) {
    record.domain = aws::make_ecr_domain(*account, record.region);
  }
}

std::string settled_domain(const ProviderChoice& choice, const NewIntegration& form) {
  const std::string wanted(trim(form.domain));
  switch (choice.domain_rule) {
    case DomainRule::fixed:
      return fixed_domain(choice, wanted);
    case DomainRule::one_of:
      return listed_domain(choice, wanted);
    case DomainRule::below:
      return domain_below(choice, wanted);
    case DomainRule::gar_location:
      return gar_domain(location_of(form.location.empty() ? wanted : form.location));
    case DomainRule::ecr_region:
      return wanted.empty() ? std::string() : validate_domain(wanted);
    case DomainRule::given:
      break;
  }
  return validate_domain(wanted.empty() ? choice.domains : std::string_view(wanted));
}

void check_prefix(
    const ProviderChoice& choice, const model::RegistryIntegration& record, Problems& problems) {
  const std::string& prefix = record.repository_prefix;
  if (!prefix.empty() && (!choice.takes_prefix || record.domain == k_docker_hub)) {
    problems.add(
        "Docker Hub takes no repository prefix",
        "write the namespace into the image name: '<user>/<image>'");
    return;
  }
  const auto host = oci::leading_domain(prefix + "/");
  if (host && oci::canonical_domain(*host) == record.domain) {
    problems.add(
        fmt::format("repository prefix '{}' repeats the domain of the registry", prefix),
        "leave the domain out of the prefix");
  }
}

void check_aws_fields(
    const ProviderChoice& choice, const model::RegistryIntegration& record, Problems& problems) {
  if (!is_aws(choice)) {
    if (record.uses_ambient_role || !record.role_arn.empty()) {
      problems.add(fmt::format("provider '{}' knows no roles of AWS", choice.name));
    }
  } else if (!record.role_arn.empty() && !aws::account_of_role(record.role_arn)) {
    problems.add(
        fmt::format("'{}' is not the ARN of a role", shown(record.role_arn)),
        "write arn:aws:iam::ACCOUNT:role/NAME, the account in 12 digits");
  }
  if (record.provider == model::Provider::ecr && record.username == "AWS") {
    problems.add(
        "'AWS' is no access key id",
        "passwords of that user last 12 hours; give an access key, from which they are made anew");
  }
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return (c >= '\0' && c < ' ') || c == '\x7F'; });
}

void check_username(
    const ProviderChoice& choice, const model::RegistryIntegration& record, Problems& problems) {
  const std::string& name = record.username;
  if (choice.user_rule != UserRule::given) {
    if (!name.empty() && name != choice.user) {
      problems.add(fmt::format("provider '{}' takes no user name", choice.name));
    }
    return;
  }
  if (record.uses_ambient_role) {
    if (!name.empty()) {
      problems.add(fmt::format("the ambient role takes no {}", choice.user));
    }
    return;
  }
  if (name.empty()) {
    problems.add(fmt::format("the {} for the registry is empty", choice.user));
  } else if (name.find(':') != std::string::npos) {
    problems.add(fmt::format("{} '{}' contains ':'", choice.user, shown(name)));
  } else if (has_control(name)) {
    problems.add(fmt::format(
        "the {} for the registry contains a line break or control character", choice.user));
  }
}

void check_roles(
    const ProviderChoice& choice, const model::RegistryIntegration& record, Problems& problems) {
  if (record.is_caching && record.domain == k_docker_hub) {
    problems.add(
        "Docker Hub cannot be the caching registry: its names have one fixed level, and the cache "
        "needs abilities that it lacks",
        "choose another registry for caching; it may also be the default one");
  }
  if (record.is_behind_firewall && record.provider != model::Provider::other) {
    problems.add(
        fmt::format("{} is not installed behind a firewall", choice.label),
        "that is for registries of your own: provider 'other'");
  }
}

/// What is checked the same way for a new and for a changed record.
void check_record(
    const ProviderChoice& choice, model::RegistryIntegration& record, Problems& problems) {
  problems.attempt([&] { return validate_integration_name(record.name), 0; }, 0);
  record.username = trim(record.username);
  record.repository_prefix =
      problems.attempt([&] { return normalise_prefix(record.repository_prefix); }, std::string());
  if (choice.domain_rule == DomainRule::ecr_region) {
    settle_ecr(record, problems);
  } else if (choice.domain_rule != DomainRule::gar_location && !record.region.empty()) {
    problems.add(fmt::format("provider '{}' has no regions", choice.name));
  }
  check_username(choice, record, problems);
  check_prefix(choice, record, problems);
  check_aws_fields(choice, record, problems);
  check_created_repositories(choice, record, problems);
  check_roles(choice, record, problems);
  check_connection(choice, record, problems);
}

}  // namespace

model::RegistryIntegration to_record(const NewIntegration& form) {
  const ProviderChoice& choice = get_choice(form.provider);
  Problems problems;
  model::RegistryIntegration record;
  record.name = form.name;
  record.provider = choice.provider;
  record.preset = model::to_string(choice.provider) == choice.name ? "" : choice.name;
  record.domain = problems.attempt([&] { return settled_domain(choice, form); }, std::string());
  record.username = form.username;
  record.region = trim(form.region);
  if (choice.domain_rule == DomainRule::gar_location && record.region.empty()) {
    record.region = location_of(record.domain);
  }
  record.role_arn = trim(form.role_arn);
  record.uses_ambient_role = form.uses_ambient_role;
  record.creates_repositories = form.creates_repositories;
  record.repository_template = form.repository_template;
  record.repository_prefix = form.repository_prefix;
  record.is_default = form.is_default;
  record.is_caching = form.is_caching;
  record.is_primary = form.is_primary;
  record.is_behind_firewall = form.is_behind_firewall;
  record.connection = form.connection;
  check_record(choice, record, problems);
  problems.throw_if_any();
  return record;
}

void normalise(model::RegistryIntegration& record) {
  const ProviderChoice& choice = choice_of(record);
  Problems problems;
  NewIntegration form;
  form.domain = record.domain;
  record.domain = problems.attempt([&] { return settled_domain(choice, form); }, record.domain);
  if (choice.domain_rule == DomainRule::gar_location) {
    record.region = location_of(record.domain);
  }
  check_record(choice, record, problems);
  problems.throw_if_any();
}

}  // namespace freshet::registries
