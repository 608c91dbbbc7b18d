// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/providers/form.hpp"

#include "freshet/base/testing/run.hpp"
#include "freshet/base/text.hpp"
#include "freshet/registries/credentials.hpp"

#include <gtest/gtest.h>

#include <set>

namespace freshet::registries {
namespace {

using freshet::testing::error_of;

NewIntegration form(std::string provider, std::string domain = "", std::string username = "ada") {
  NewIntegration out;
  out.name = "prod";
  out.provider = std::move(provider);
  out.domain = std::move(domain);
  out.username = std::move(username);
  return out;
}

/// The message alone.
std::string problem(const NewIntegration& wish) {
  const std::string text = error_of([&] { to_record(wish); });
  const std::size_t start = text.find("error: ") + 7;
  return text.substr(start, text.find('\n', start) - start);
}

TEST(Catalogue, has_every_provider_and_no_name_twice) {
  std::set<std::string_view> names;
  for (const ProviderChoice& choice : provider_choices()) {
    EXPECT_TRUE(names.insert(choice.name).second) << choice.name;
    EXPECT_FALSE(choice.label.empty()) << choice.name;
    EXPECT_FALSE(choice.secret.empty()) << choice.name;
    EXPECT_FALSE(choice.secret_help.empty()) << choice.name;
    EXPECT_NE(choice.user_rule == UserRule::is_secret, !choice.user.empty()) << choice.name;
    EXPECT_FALSE(fields_of(choice).empty()) << choice.name;
  }
  for (const char* name :
       {"dockerhub",
        "acr",
        "gcr",
        "gar",
        "ecr",
        "bintray",
        "other",
        "artifactory",
        "quay",
        "ghcr",
        "github-packages",
        "gitlab",
        "harbor",
        "nexus",
        "digitalocean",
        "heroku",
        "ecr-public"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
  EXPECT_EQ(get_choice("gcr").kind, "google");
  EXPECT_EQ(get_choice("other").kind, "standard");
  const std::string refusal = error_of([] { get_choice("quai"); });
  EXPECT_TRUE(refusal.starts_with(
      "invalid_input\nerror: 'quai' is not a provider\n"
      "hint: did you mean 'quay'? known are: dockerhub, acr, gcr, gar, ecr, bintray, other, "))
      << refusal;
}

TEST(Form, fills_in_the_domain_that_the_provider_has) {
  struct Row {
    const char* provider;
    const char* said;
    const char* user;
    const char* domain;
  };
  for (const Row& row : std::vector<Row>{
           {"dockerhub", "", "ada", "docker.io"},
           {"dockerhub", "registry-1.docker.io", "ada", "docker.io"},
           {"acr", "ACME.azurecr.io", "id", "acme.azurecr.io"},
           {"gcr", "us.gcr.io", "", "us.gcr.io"},
           {"gar", "europe-west1", "", "europe-west1-docker.pkg.dev"},
           {"gar", "asia-docker.pkg.dev", "", "asia-docker.pkg.dev"},
           {"bintray", "acme.jfrog.io", "ada", "acme.jfrog.io"},
           {"artifactory", "acme.jfrog.io", "ada", "acme.jfrog.io"},
           {"artifactory", "https://Jfrog.example:8443/", "ada", "jfrog.example:8443"},
           {"nexus", "nexus.example:8082", "ada", "nexus.example:8082"},
           {"quay", "", "ada", "quay.io"},
           {"quay", "quay.example", "ada", "quay.example"},
           {"ghcr", "", "ada", "ghcr.io"},
           {"github-packages", "", "ada", "docker.pkg.github.com"},
           {"gitlab", "", "ada", "registry.gitlab.com"},
           {"digitalocean", "", "", "registry.digitalocean.com"},
           {"heroku", "", "", "registry.heroku.com"},
           {"ecr-public", "", "AKID", "public.ecr.aws"},
           {"harbor", "https://harbor.example/", "robot$ci", "harbor.example"},
           {"other", "r.example:5000", "ada", "r.example:5000"}}) {
    EXPECT_EQ(to_record(form(row.provider, row.said, row.user)).domain, row.domain) << row.provider;
  }
  NewIntegration gar = form("gar", "", "");
  gar.location = "us";
  EXPECT_EQ(to_record(gar).domain, "us-docker.pkg.dev");
  EXPECT_EQ(to_record(gar).region, "us");
}

TEST(Form, keeps_what_it_was_made_from) {
  EXPECT_EQ(to_record(form("quay")).preset, "quay");
  EXPECT_EQ(to_record(form("quay")).provider, model::Provider::other);
  EXPECT_EQ(choice_of(to_record(form("quay"))).label, "Quay");
  EXPECT_EQ(to_record(form("dockerhub")).preset, "");
  const auto artifactory = to_record(form("artifactory", "acme.jfrog.io"));
  EXPECT_EQ(artifactory.preset, "artifactory");
  EXPECT_EQ(artifactory.provider, model::Provider::bintray);
  const auto nexus = to_record(form("nexus", "nexus.example:8082"));
  EXPECT_EQ(nexus.preset, "nexus");
  EXPECT_EQ(nexus.provider, model::Provider::other);
}

TEST(Form, refuses_a_domain_that_is_not_the_provider_s) {
  EXPECT_EQ(
      problem(form("gcr", "us.gcr.io/my_org", "")),
      "domain 'us.gcr.io/my_org' has more than a host and a port");
  EXPECT_EQ(
      problem(form("gcr", "gcr.example", "")),
      "'gcr.example' is no host of Google Container Registry");
  EXPECT_EQ(
      problem(form("acr", "acme.azurecr.io.evil.example")),
      "'acme.azurecr.io.evil.example' is no host of Azure Container Registry");
  EXPECT_EQ(
      problem(form("acr", "azurecr.io")), "'azurecr.io' is no host of Azure Container Registry");
  EXPECT_EQ(problem(form("gar", "", "")), "the location of the registry is empty");
  EXPECT_EQ(problem(form("gar", "Europe", "")), "'Europe' is not a location");
  EXPECT_EQ(
      problem(form("ghcr", "docker.io")),
      "provider 'ghcr' has the fixed domain 'ghcr.io', not 'docker.io'");
  for (const char* provider : {"other", "bintray", "artifactory", "nexus", "harbor"}) {
    EXPECT_EQ(problem(form(provider)), "the domain of the registry is empty") << provider;
    EXPECT_EQ(
        problem(form(provider, "r.example/repository/docker")),
        "domain 'r.example/repository/docker' has more than a host and a port")
        << provider;
  }
  EXPECT_EQ(problem(form("ecr", "r.example")), "'r.example' is no host of Amazon ECR");
}

TEST(Form, refuses_a_user_where_there_is_none_and_wants_one_where_there_is) {
  EXPECT_EQ(problem(form("gcr", "gcr.io")), "provider 'gcr' takes no user name");
  EXPECT_EQ(problem(form("digitalocean")), "provider 'digitalocean' takes no user name");
  EXPECT_EQ(problem(form("acr", "acme.azurecr.io", "")), "the client id for the registry is empty");
}

TEST(Form, of_ecr_is_one_of_keys_and_ambient_role) {
  NewIntegration wish = form("ecr", "", "");
  wish.region = "eu-west-1";
  EXPECT_EQ(problem(wish), "the access key id for the registry is empty");
  wish.uses_ambient_role = true;
  EXPECT_EQ(to_record(wish).domain, "");
  EXPECT_FALSE(needs_password(to_record(wish)));
  wish.username = "AKID";
  EXPECT_EQ(problem(wish), "the ambient role takes no access key id");
  wish.username = "";
  wish.region = "moon";
  EXPECT_EQ(problem(wish), "'moon' is not a region of AWS");
  wish.region = "";
  wish.role_arn = "role/x";
  EXPECT_EQ(
      problem(wish), "the region of the registry is empty; 'role/x' is not the ARN of a role");
  wish = form("ecr", "123456789012.dkr.ecr.eu-west-1.amazonaws.com", "AKID");
  wish.region = "us-east-1";
  EXPECT_EQ(
      problem(wish),
      "domain '123456789012.dkr.ecr.eu-west-1.amazonaws.com' is in region 'eu-west-1', not in "
      "'us-east-1'");
}

TEST(Form, lets_repositories_be_created_on_ecr_below_a_prefix_only) {
  NewIntegration wish = form("ecr", "123456789012.dkr.ecr.eu-west-1.amazonaws.com", "AKID");
  wish.creates_repositories = true;
  EXPECT_EQ(
      problem(wish), "repositories are created below a repository prefix only, and there is none");
  wish.repository_prefix = "team";
  EXPECT_TRUE(to_record(wish).creates_repositories);
  wish = form("quay");
  wish.creates_repositories = true;
  wish.repository_prefix = "team";
  EXPECT_EQ(problem(wish), "provider 'quay' makes repositories by itself");
}

TEST(Form, takes_a_template_for_repositories_that_are_created_only) {
  NewIntegration wish = form("ecr", "123456789012.dkr.ecr.eu-west-1.amazonaws.com", "AKID");
  wish.repository_prefix = "team";
  const std::string unused =
      "scan on push, immutable tags and a lifecycle policy are for repositories that Freshet "
      "creates";
  wish.repository_template.scans_on_push = true;
  EXPECT_EQ(problem(wish), unused);
  wish.repository_template = {.has_immutable_tags = true};
  EXPECT_EQ(problem(wish), unused);
  wish.repository_template = {.lifecycle_policy = R"({"rules":[]})"};
  EXPECT_EQ(problem(wish), unused);
  wish.creates_repositories = true;
  EXPECT_EQ(to_record(wish).repository_template, wish.repository_template);
}

TEST(Form, wants_a_lifecycle_policy_to_be_json_with_rules) {
  NewIntegration wish = form("ecr", "123456789012.dkr.ecr.eu-west-1.amazonaws.com", "AKID");
  wish.repository_prefix = "team";
  wish.creates_repositories = true;
  const auto said = [&](std::string policy) {
    wish.repository_template.lifecycle_policy = std::move(policy);
    return problem(wish);
  };
  for (const char* text : {"[]", "{}", R"({"rules":{}})", R"({"rule":[]})", "7"}) {
    EXPECT_EQ(said(text), "the lifecycle policy has no list of 'rules'") << text;
  }
  for (const char* text :
       {"rules", R"({"rules":[])", R"({"rules":[],"rules":[]})", "{'rules':[]}"}) {
    EXPECT_TRUE(said(text).starts_with("the lifecycle policy is no JSON: ")) << said(text);
  }
  EXPECT_EQ(
      said(std::string(30721, ' ')),
      "the lifecycle policy is 30721 characters, the limit is 30720");
}

TEST(Form, keeps_each_option_to_the_providers_that_have_it) {
  NewIntegration wish = form("acr", "acme.azurecr.io");
  wish.is_behind_firewall = true;
  wish.connection.is_plain_http = true;
  wish.role_arn = "arn:aws:iam::123456789012:role/x";
  wish.region = "eu-west-1";
  EXPECT_EQ(
      problem(wish),
      "provider 'acr' has no regions; provider 'acr' knows no roles of AWS; Azure Container "
      "Registry is not installed behind a firewall; Azure Container Registry speaks https only");
}

TEST(Form, normalises_how_the_registry_is_reached) {
  NewIntegration wish = form("other", "r.example");
  wish.connection.proxy = "HTTP://Proxy.example:3128/";
  wish.connection.proxy_username = "ada";
  wish.connection.mirror = "https://Mirror.example/hub/";
  wish.connection.token_server = "Auth.example";
  const auto record = to_record(wish);
  EXPECT_EQ(record.connection.proxy, "http://proxy.example:3128");
  EXPECT_EQ(record.connection.mirror, "mirror.example/hub");
  EXPECT_EQ(record.connection.token_server, "auth.example");
  wish.connection.proxy = "proxy.example";
  wish.connection.mirror = "r.example";
  wish.connection.ca_certificates = "no certificate";
  EXPECT_EQ(
      problem(wish),
      "the CA file holds no certificate; the proxy is not a URL; registry 'r.example' "
      "cannot be its own mirror");
}

TEST(Secrets, of_a_key_file_are_json_as_it_is_or_in_base64) {
  const auto record = to_record(form("gcr", "gcr.io", ""));
  const std::string key = "{\n  \"type\": \"service_account\"\n}";
  EXPECT_EQ(checked_password(record, Secret(key + "\n")), Secret(key));
  EXPECT_EQ(checked_password(record, Secret(to_base64(key))), Secret(key));
  for (const char* text : {"", "hunter2", "[]", "{\"a\":"}) {
    EXPECT_THROW(checked_password(record, Secret(text)), Error) << text;
  }
  EXPECT_EQ(
      error_of([&] { checked_password(record, Secret("hunter2")); }),
      "invalid_input\nerror: the key file is not a JSON object\n"
      "hint: give the file that the Google console let you download, as it is\n");
}

TEST(Secrets, of_a_client_certificate_come_in_pairs) {
  const auto record = to_record(form("other", "r.example"));
  model::RegistrySecrets secrets(Secret("pw"));
  secrets.client_key = Secret("key");
  secrets.proxy_password = Secret("pw");
  EXPECT_EQ(
      error_of([&] { checked_secrets(record, secrets); }),
      "invalid_input\n"
      "error: the client key has no certificate; there is a password for the proxy but no user\n"
      "hint: give its file with --client-cert; name it with --proxy-username\n");
}

TEST(StoredLogin, is_presented_as_each_provider_wants_it) {
  struct Row {
    const char* provider;
    const char* domain;
    const char* user;
    const char* presented;
  };
  for (const Row& row : std::vector<Row>{
           {"dockerhub", "", "ada", "ada"},
           {"acr", "acme.azurecr.io", "client", "client"},
           {"gcr", "gcr.io", "", "_json_key"},
           {"gar", "us", "", "_json_key"},
           {"digitalocean", "", "", "the-secret"},
           {"heroku", "", "", "_"},
           {"ecr-public", "", "AWS", "AWS"},
           {"harbor", "harbor.example", "robot$ci", "robot$ci"}}) {
    const auto record = to_record(form(row.provider, row.domain, row.user));
    const auto login = stored_login(record, Secret("the-secret"));
    ASSERT_TRUE(login) << row.provider;
    EXPECT_EQ(login->username, row.presented);
    EXPECT_EQ(login->password, Secret("the-secret"));
  }
  EXPECT_FALSE(stored_login(to_record(form("ecr-public", "", "AKID")), Secret("key")));
}

TEST(StoredLogin, is_not_shown_where_its_name_is_the_secret) {
  const auto record = to_record(form("digitalocean", "", ""));
  EXPECT_EQ(stored_login(record, Secret("the-secret"))->shown_user(), "the token");
  EXPECT_EQ((oci::Credentials{"bob", Secret("pw")}).shown_user(), "user 'bob'");
}

}  // namespace
}  // namespace freshet::registries
