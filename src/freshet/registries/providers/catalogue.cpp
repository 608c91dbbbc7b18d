// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/providers/catalogue.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace freshet::registries {
namespace {

using model::Provider;

constexpr std::string_view k_github_token =
    "a classic personal access token with the scopes write:packages, read:packages and "
    "delete:packages, and repo where packages belong to private repositories";

constexpr std::array k_choices{
    ProviderChoice{
        .name = "dockerhub",
        .provider = Provider::dockerhub,
        .label = "Docker Hub",
        .kind = "dockerhub",
        .domain_rule = DomainRule::fixed,
        .domains = "docker.io",
        .user = "user name",
        .user_help = "your Docker ID, not the e-mail address",
        .secret = "password or access token",
        .secret_help =
            "an access token, made in the account's security settings; accounts with two-factor "
            "authentication take nothing else",
        .takes_prefix = false},
    ProviderChoice{
        .name = "acr",
        .provider = Provider::acr,
        .label = "Azure Container Registry",
        .kind = "standard",
        .domain_rule = DomainRule::below,
        .domains = "azurecr.io azurecr.cn azurecr.us",
        .domain_help = "the registry's login server: NAME.azurecr.io",
        .user = "client id",
        .user_help = "application id of a service principal that may push (role AcrPush); with the "
                     "admin user switched on, its name",
        .secret = "client secret",
        .secret_help = "a secret of that service principal, or one of the admin user's passwords"},
    ProviderChoice{
        .name = "gcr",
        .provider = Provider::gcr,
        .label = "Google Container Registry",
        .kind = "google",
        .domain_rule = DomainRule::one_of,
        .domains = "gcr.io us.gcr.io eu.gcr.io asia.gcr.io",
        .domain_help = "the host alone; the project is part of the image name or the prefix",
        .user_rule = UserRule::fixed,
        .user = "_json_key",
        .secret_rule = SecretRule::key_file,
        .secret = "JSON key file",
        .secret_help = "a key of a service account that may write to the project's storage, as the "
                       "JSON file that the console lets you download",
        .prefix_help = "the Google project"},
    ProviderChoice{
        .name = "gar",
        .provider = Provider::gar,
        .label = "Google Artifact Registry",
        .kind = "google",
        .domain_rule = DomainRule::gar_location,
        .domain_help = "region or multi-region of the repository, e.g. europe-west1 or us",
        .user_rule = UserRule::fixed,
        .user = "_json_key",
        .secret_rule = SecretRule::key_file,
        .secret = "JSON key file",
        .secret_help = "a key of a service account with the role Artifact Registry Writer, as the "
                       "JSON file that the console lets you download",
        .prefix_help = "PROJECT/REPOSITORY, with which every image name there starts"},
    ProviderChoice{
        .name = "ecr",
        .provider = Provider::ecr,
        .label = "Amazon ECR",
        .kind = "ecr",
        .domain_rule = DomainRule::ecr_region,
        .domain_help = "ACCOUNT.dkr.ecr.REGION.amazonaws.com; learnt from AWS when left out",
        .user = "access key id",
        .user_help = "of an IAM user with the policy AmazonEC2ContainerRegistryPowerUser or its "
                     "like; none with --use-ambient-role",
        .secret_rule = SecretRule::aws_key,
        .secret = "secret access key",
        .secret_help = "shown once, when the access key is made; none with --use-ambient-role"},
    ProviderChoice{
        .name = "bintray",
        .provider = Provider::bintray,
        .label = "JFrog Bintray",
        .kind = "standard",
        .domain_help = "NAME.bintray.io, COMPANY-NAME.jfrog.io or the host of your own server",
        .user = "user name",
        .secret = "API key",
        .secret_help = "from the user's profile"},
    ProviderChoice{
        .name = "other",
        .label = "Other registry",
        .kind = "standard",
        .domain_help = "any host that speaks the registry protocol (API version 2), with its port "
                       "where that is not 443",
        .user = "user name",
        .secret = "password",
        .secret_help = "of a user that may pull and push, or a token that stands for it"},
    ProviderChoice{
        .name = "artifactory",
        .provider = Provider::bintray,
        .label = "JFrog Artifactory",
        .kind = "standard",
        .domain_help = "the host that image names start with, e.g. COMPANY.jfrog.io",
        .user = "user name",
        .secret = "API key or identity token",
        .secret_help = "from the user's profile",
        .prefix_help = "the repository's key, where the server finds repositories by path"},
    ProviderChoice{
        .name = "quay",
        .label = "Quay",
        .kind = "standard",
        .domain_rule = DomainRule::given,
        .domains = "quay.io",
        .domain_help = "only for a server of your own",
        .user = "user name",
        .user_help = "yours, or a robot account's: OWNER+ROBOT",
        .secret = "encrypted password or robot token",
        .secret_help = "made in the account settings; a robot's token is shown with the robot",
        .prefix_help = "the organisation or user that owns the images"},
    ProviderChoice{
        .name = "ghcr",
        .label = "GitHub Container Registry",
        .kind = "standard",
        .domain_rule = DomainRule::fixed,
        .domains = "ghcr.io",
        .user = "GitHub login",
        .secret = "personal access token",
        .secret_help = k_github_token,
        .prefix_help = "the GitHub login or organisation that owns the images, in lower case"},
    ProviderChoice{
        .name = "github-packages",
        .label = "GitHub Packages (the old Docker registry)",
        .kind = "standard",
        .domain_rule = DomainRule::fixed,
        .domains = "docker.pkg.github.com",
        .user = "GitHub login",
        .secret = "personal access token",
        .secret_help = k_github_token,
        .prefix_help = "the GitHub login; image names are then EXISTING-REPOSITORY/IMAGE"},
    ProviderChoice{
        .name = "gitlab",
        .label = "GitLab",
        .kind = "standard",
        .domains = "registry.gitlab.com",
        .domain_help = "only for a server of your own: the registry's host, not the web site's",
        .user = "user name",
        .user_help = "yours, or that of a deploy token",
        .secret = "token",
        .secret_help = "a personal, project, group or deploy token with the scopes read_registry "
                       "and write_registry",
        .prefix_help = "GROUP/PROJECT, with which every image name there starts"},
    ProviderChoice{
        .name = "harbor",
        .label = "Harbor",
        .kind = "standard",
        .domain_help = "the server's host",
        .user = "user name",
        .user_help = "a user's, or a robot account's with its robot$ in front",
        .secret = "password or robot secret",
        .secret_help = "a robot's secret is shown once, when the robot is made; users of single "
                       "sign-on take the CLI secret of their profile",
        .prefix_help = "the Harbor project"},
    ProviderChoice{
        .name = "nexus",
        .label = "Sonatype Nexus",
        .kind = "standard",
        .domain_help = "host and port of the Docker connector of a hosted repository",
        .user = "user name",
        .secret = "password",
        .secret_help = "of that user, or both parts of a user token"},
    ProviderChoice{
        .name = "digitalocean",
        .label = "DigitalOcean",
        .kind = "standard",
        .domain_rule = DomainRule::fixed,
        .domains = "registry.digitalocean.com",
        .user_rule = UserRule::is_secret,
        .secret = "API token",
        .secret_help = "a personal access token that may read and write",
        .prefix_help = "the registry's name"},
    ProviderChoice{
        .name = "heroku",
        .label = "Heroku",
        .kind = "standard",
        .domain_rule = DomainRule::fixed,
        .domains = "registry.heroku.com",
        .user_rule = UserRule::fixed,
        .user = "_",
        .secret = "authorization token",
        .secret_help = "made by 'heroku authorizations:create'; not the account's password",
        .prefix_help = "the app; image names are APP/PROCESS"},
    ProviderChoice{
        .name = "ecr-public",
        .label = "Amazon ECR Public",
        .kind = "standard",
        .domain_rule = DomainRule::fixed,
        .domains = "public.ecr.aws",
        .user = "access key id",
        .user_help = "of an IAM user with the policy AmazonElasticContainerRegistryPublicPowerUser "
                     "or its like; none with --use-ambient-role",
        .secret_rule = SecretRule::aws_key,
        .secret = "secret access key",
        .secret_help = "shown once, when the access key is made; none with --use-ambient-role",
        .prefix_help = "the registry's alias"},
};

std::string user_option(const ProviderChoice& choice) {
  if (choice.user == "client id") {
    return "client-id";
  }
  return choice.user == "access key id" ? "access-key-id" : "username";
}

void add_domain_field(const ProviderChoice& choice, std::vector<ProviderField>& fields) {
  const bool is_optional = !choice.domains.empty() || choice.domain_rule == DomainRule::ecr_region;
  switch (choice.domain_rule) {
    case DomainRule::fixed:
      return;
    case DomainRule::gar_location:
      fields.push_back({"location", "location", true, false, std::string(choice.domain_help)});
      return;
    case DomainRule::ecr_region:
      fields.push_back({"region", "region", true, false, "of the repositories, e.g. eu-west-1"});
      break;
    case DomainRule::one_of:
    case DomainRule::below:
      fields.push_back({"domain", "domain", true, false, std::string(choice.domain_help)});
      return;
    case DomainRule::given:
      break;
  }
  fields.push_back({"domain", "domain", !is_optional, false, std::string(choice.domain_help)});
}

}  // namespace

std::span<const ProviderChoice> provider_choices() {
  return k_choices;
}

const ProviderChoice* find_choice(std::string_view name) {
  const auto found = std::ranges::find(k_choices, name, &ProviderChoice::name);
  return found == k_choices.end() ? nullptr : &*found;
}

const ProviderChoice& get_choice(std::string_view name) {
  if (const ProviderChoice* found = find_choice(name)) {
    return *found;
  }
  std::vector<std::string> names;
  for (const ProviderChoice& choice : k_choices) {
    names.emplace_back(choice.name);
  }
  std::string hint = "known are: " + join(names, ", ");
  if (const auto close = nearest(name, names)) {
    hint = fmt::format("did you mean '{}'? {}", *close, hint);
  }
  throw Error(ErrorCode::invalid_input, fmt::format("'{}' is not a provider", printable(name, 100)))
      .with_hint(std::move(hint));
}

const ProviderChoice& choice_of(const model::RegistryIntegration& integration) {
  const ProviderChoice* preset = find_choice(integration.preset);
  if (preset != nullptr && preset->provider == integration.provider) {
    return *preset;
  }
  const ProviderChoice* plain = find_choice(model::to_string(integration.provider));
  FRESHET_ASSERT(plain != nullptr);
  return *plain;
}

std::vector<std::string> domains_of(const ProviderChoice& choice) {
  return choice.domains.empty() ? std::vector<std::string>() : split(choice.domains, ' ');
}

std::vector<ProviderField> fields_of(const ProviderChoice& choice) {
  std::vector<ProviderField> fields;
  add_domain_field(choice, fields);
  const bool is_aws = choice.secret_rule == SecretRule::aws_key;
  if (choice.user_rule == UserRule::given) {
    fields.push_back(
        {user_option(choice),
         std::string(choice.user),
         !is_aws,
         false,
         std::string(choice.user_help)});
  }
  fields.push_back(
      {choice.secret_rule == SecretRule::key_file ? "keyfile" : "",
       std::string(choice.secret),
       !is_aws,
       true,
       std::string(choice.secret_help)});
  if (is_aws) {
    fields.push_back(
        {"use-ambient-role",
         "ambient role",
         false,
         false,
         "the identity of the machine instead of a key: environment, web identity, container or "
         "instance metadata"});
    fields.push_back({"role-arn", "role", false, false, "role to take before asking for a token"});
  }
  if (choice.provider == model::Provider::ecr) {
    fields.push_back(
        {"create-repositories",
         "create repositories",
         false,
         false,
         "make a repository below the prefix when a push finds none"});
    fields.push_back(
        {"scan-on-push", "scan on push", false, false, "have images scanned there: made ones"});
    fields.push_back(
        {"immutable-tags", "immutable tags", false, false, "let no tag be moved there: made ones"});
    fields.push_back(
        {"lifecycle-policy",
         "lifecycle policy",
         false,
         false,
         "a JSON document of rules by which AWS removes old images: made ones"});
  }
  if (choice.takes_prefix && !choice.prefix_help.empty()) {
    fields.push_back(
        {"prefix", "repository prefix", false, false, std::string(choice.prefix_help)});
  }
  return fields;
}

}  // namespace freshet::registries
