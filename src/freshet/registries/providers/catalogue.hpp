// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/model/registry.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::registries {

/// Where the domain of an integration comes from.
enum class DomainRule {
  given,  // any host; `domains` is what is meant when none is said, if anything
  fixed,  // `domains`
  one_of,  // one of `domains`
  below,  // a host below one of `domains`
  gar_location,  // computed from the location
  ecr_region,  // computed from region and account
};

/// Who logs in.
enum class UserRule {
  given,  // `user` is what the provider calls it
  fixed,  // `user`, for everybody
  is_secret,  // the secret is the user name as well
};

enum class SecretRule {
  text,
  key_file,  // JSON, several lines
  aws_key,  // signs requests and is never sent
};

/// One choice in the list of providers: a provider, or a ready-made way to use `other`.
struct ProviderChoice {
  std::string_view name;  // what `--provider` takes
  model::Provider provider = model::Provider::other;
  std::string_view label;
  std::string_view kind;  // class of registry, as the API tells it
  DomainRule domain_rule = DomainRule::given;
  std::string_view domains = {};  // separated by blanks
  std::string_view domain_help = {};
  UserRule user_rule = UserRule::given;
  std::string_view user = {};
  std::string_view user_help = {};
  SecretRule secret_rule = SecretRule::text;
  std::string_view secret = {};  // what the provider calls it
  std::string_view secret_help = {};  // where it comes from
  bool takes_prefix = true;
  std::string_view prefix_help = {};
};

/// All of them: the providers in the order of the API's list, then the ready-made choices.
std::span<const ProviderChoice> provider_choices();
/// nullptr when there is none of that name.
const ProviderChoice* find_choice(std::string_view name);
/// Throws invalid_input, offering the nearest name and all known ones.
const ProviderChoice& get_choice(std::string_view name);
/// The choice that an integration was made from; that of its provider when it is not known.
const ProviderChoice& choice_of(const model::RegistryIntegration& integration);

/// The words of `ProviderChoice::domains`.
std::vector<std::string> domains_of(const ProviderChoice& choice);

/// One thing that a choice asks for.
struct ProviderField {
  std::string option;  // of the command line, without dashes; empty for the main secret
  std::string label;
  bool is_required = false;
  bool is_secret = false;
  std::string help;
};

/// What `choice` asks for, in the order of its form; without what every integration can have.
std::vector<ProviderField> fields_of(const ProviderChoice& choice);

}  // namespace freshet::registries
