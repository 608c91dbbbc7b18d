// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/integrations.hpp"

#include "freshet/base/error.hpp"
#include "freshet/registries/pull_plan.hpp"
#include "freshet/store/testing/temp_data_directory.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace freshet::registries {
namespace {

NewIntegration other(std::string name, std::string domain = "r.example", std::string prefix = "") {
  NewIntegration wish;
  wish.name = std::move(name);
  wish.domain = std::move(domain);
  wish.username = "bob";
  wish.secrets = Secret("pw-of-" + wish.name);
  wish.repository_prefix = std::move(prefix);
  return wish;
}

NewIntegration docker_hub(std::string name) {
  NewIntegration wish = other(std::move(name), "");
  wish.provider = "dockerhub";
  return wish;
}

class IntegrationsTest : public ::testing::Test {
 protected:
  static Error refusal(const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return Error(ErrorCode::internal, "none");
  }

  Error refused(const NewIntegration& wish) {
    const Error error = refusal([&] { integrations_.add(wish); });
    EXPECT_TRUE(integrations_.list().empty());
    return error;
  }

  /// The stored password with which `host` is pulled from; nullopt: anonymously.
  std::optional<Secret> puller_password(std::string_view host) {
    const auto puller = puller_of_domain(integrations_.list(), host);
    return puller ? std::optional(integrations_.secrets(*puller).password) : std::nullopt;
  }

  store::testing::TempDataDirectory directory_;
  store::RegistryStore& store_ = directory_->registries();
  Integrations integrations_{store_};
};

TEST_F(IntegrationsTest, are_stored_in_their_normal_form) {
  const auto added = integrations_.add(other("prod", "https://GHCR.io/", "/team/"));
  EXPECT_EQ(added.domain, "ghcr.io");
  EXPECT_EQ(added.repository_prefix, "team");
  EXPECT_EQ(added.username, "bob");
  EXPECT_TRUE(added.is_primary);
  EXPECT_EQ(store_.secrets(added.id).password, Secret("pw-of-prod"));
}

TEST_F(IntegrationsTest, for_docker_hub_have_its_fixed_domain) {
  EXPECT_EQ(integrations_.add(docker_hub("hub")).domain, "docker.io");
  NewIntegration spelled = docker_hub("hub2");
  spelled.domain = "index.docker.io";
  EXPECT_EQ(integrations_.add(spelled).domain, "docker.io");
  EXPECT_EQ(integrations_.add(other("hub3", "registry-1.docker.io")).domain, "docker.io");
}

TEST_F(IntegrationsTest, for_docker_hub_take_no_other_domain_and_no_prefix) {
  NewIntegration wish = docker_hub("hub");
  wish.domain = "quay.io";
  EXPECT_EQ(
      refused(wish).message(),
      "provider 'dockerhub' has the fixed domain 'docker.io', not 'quay.io'");
  wish = docker_hub("hub");
  wish.repository_prefix = "me";
  EXPECT_EQ(refused(wish).message(), "Docker Hub takes no repository prefix");
  EXPECT_EQ(
      refused(other("hub", "docker.io", "me")).message(), "Docker Hub takes no repository prefix");
}

TEST_F(IntegrationsTest, are_refused_when_something_is_missing_or_malformed) {
  EXPECT_EQ(refused(other("")).message(), "the name of the registry integration is empty");
  EXPECT_EQ(
      refused(other("ghcr.io")).message(), "integration name 'ghcr.io' looks like a registry host");
  EXPECT_EQ(refused(other("x", "")).message(), "the domain of the registry is empty");
  NewIntegration wish = other("x");
  wish.username = " ";
  EXPECT_EQ(refused(wish).message(), "the user name for the registry is empty");
  wish.username = "a:b";
  EXPECT_EQ(refused(wish).message(), "user name 'a:b' contains ':'");
  wish = other("x");
  wish.secrets.password = Secret();
  EXPECT_EQ(refused(wish).message(), "the password for the registry is empty");
  wish.secrets.password = Secret("hunter2\n");
  EXPECT_EQ(
      refused(wish).message(),
      "the password for the registry contains a line break or control character");
  EXPECT_EQ(
      refused(other("x", "r.example", "r.example/team")).message(),
      "repository prefix 'r.example/team' repeats the domain of the registry");
}

TEST_F(IntegrationsTest, have_unique_names) {
  integrations_.add(other("prod"));
  EXPECT_EQ(
      refusal([&] { integrations_.add(other("prod", "q.example")); }).code(), ErrorCode::conflict);
}

TEST_F(IntegrationsTest, are_got_by_name_or_id) {
  const auto added = integrations_.add(other("prod"));
  EXPECT_EQ(integrations_.get("prod").id, added.id);
  EXPECT_EQ(integrations_.get(added.id).name, "prod");
  EXPECT_EQ(integrations_.get(added.id.substr(0, 8)).name, "prod");
  EXPECT_EQ(
      refusal([&] { integrations_.get(added.id.substr(0, 7)); }).code(), ErrorCode::not_found);
  integrations_.add(other(added.id.substr(0, 8)));
  EXPECT_NE(integrations_.get(added.id.substr(0, 8)).id, added.id) << "a name comes first";
}

TEST_F(IntegrationsTest, that_are_unknown_bring_the_nearest_name_and_all_others) {
  const Error none = refusal([&] { integrations_.get("prod"); });
  EXPECT_EQ(none.code(), ErrorCode::not_found);
  EXPECT_EQ(none.message(), "there is no registry integration 'prod'");
  EXPECT_EQ(none.hint(), "no registry is connected yet");

  integrations_.add(other("prod"));
  integrations_.add(other("staging"));

  EXPECT_EQ(
      refusal([&] { integrations_.get("prdo"); }).hint(),
      "did you mean 'prod'? known are: prod, staging");
  EXPECT_EQ(
      refusal([&] { integrations_.get("something-else"); }).hint(), "known are: prod, staging");
  EXPECT_EQ(refusal([&] { integrations_.get("Prod"); }).code(), ErrorCode::not_found);
}

TEST_F(IntegrationsTest, hand_on_the_role_of_the_default) {
  EXPECT_FALSE(integrations_.default_integration().has_value());
  NewIntegration wish = other("a");
  integrations_.add(wish);
  EXPECT_FALSE(integrations_.default_integration().has_value()) << "a lone one is not the default";
  wish = other("b");
  wish.is_default = true;
  integrations_.add(wish);
  EXPECT_EQ(integrations_.default_integration()->name, "b");
  integrations_.set_default("a");
  EXPECT_EQ(integrations_.default_integration()->name, "a");
}

TEST_F(IntegrationsTest, of_docker_hub_cannot_cache_and_say_why) {
  constexpr std::string_view k_message =
      "Docker Hub cannot be the caching registry: its names have one fixed level, and the cache "
      "needs "
      "abilities that it lacks";
  NewIntegration wish = docker_hub("hub");
  wish.is_caching = true;
  EXPECT_EQ(refused(wish).message(), k_message);
  wish = other("hub", "index.docker.io");
  wish.is_caching = true;
  EXPECT_EQ(refused(wish).message(), k_message);

  integrations_.add(docker_hub("hub"));
  const Error error = refusal([&] { integrations_.set_caching("hub"); });
  EXPECT_EQ(error.message(), k_message);
  EXPECT_EQ(error.hint(), "choose another registry for caching; it may also be the default one");
  EXPECT_FALSE(integrations_.get("hub").is_caching);
}

TEST_F(IntegrationsTest, of_others_can_cache_one_at_a_time) {
  integrations_.add(other("a"));
  integrations_.add(other("b"));
  integrations_.set_caching("a");
  integrations_.set_caching("b");
  EXPECT_FALSE(integrations_.get("a").is_caching);
  EXPECT_TRUE(integrations_.get("b").is_caching);
}

TEST_F(IntegrationsTest, pull_with_the_only_or_the_primary_login_of_a_domain) {
  EXPECT_FALSE(puller_password("r.example").has_value());
  integrations_.add(other("a"));
  integrations_.add(other("b"));
  integrations_.add(other("c", "r.example:5000"));

  EXPECT_EQ(puller_password("R.example"), Secret("pw-of-a"));
  EXPECT_EQ(puller_password("r.example:5000"), Secret("pw-of-c"));
  EXPECT_FALSE(puller_password("r.example:5001").has_value());
  EXPECT_FALSE(puller_password("evil.r.example").has_value());

  integrations_.remove("a");
  EXPECT_EQ(puller_password("r.example"), Secret("pw-of-b"));
}

TEST_F(IntegrationsTest, of_docker_hub_pull_from_each_of_its_names) {
  integrations_.add(docker_hub("hub"));
  EXPECT_EQ(puller_password("docker.io"), Secret("pw-of-hub"));
  EXPECT_EQ(puller_password("registry-1.docker.io"), Secret("pw-of-hub"));
}

TEST_F(IntegrationsTest, are_changed_under_the_same_rules) {
  integrations_.add(other("prod"));
  integrations_.set_prefix("prod", "/team/sub/");
  EXPECT_EQ(integrations_.get("prod").repository_prefix, "team/sub");
  EXPECT_THROW(integrations_.set_prefix("prod", "Team"), Error);
  IntegrationChange login;
  login.username = "alice";
  login.secrets.password = Secret("new");
  integrations_.change("prod", login);
  EXPECT_EQ(integrations_.get("prod").username, "alice");
  EXPECT_EQ(puller_password("r.example"), Secret("new"));
  login.secrets.password = Secret();
  EXPECT_THROW(integrations_.change("prod", login), Error);
  EXPECT_THROW(integrations_.rename("prod", "a.b"), Error);
  integrations_.rename("prod", "live");
  EXPECT_EQ(integrations_.get("live").repository_prefix, "team/sub");
  EXPECT_THROW(integrations_.remove("prod"), Error);
}

TEST_F(IntegrationsTest, are_refused_with_everything_that_is_wrong_at_once) {
  NewIntegration wish = other("a.b", "r.example/team");
  wish.username = "";
  wish.connection.proxy = "http://ada:pw@proxy.example:3128";
  const Error error = refused(wish);
  EXPECT_EQ(
      error.message(),
      "domain 'r.example/team' has more than a host and a port; integration name 'a.b' looks like "
      "a "
      "registry host; the user name for the registry is empty; the URL of the proxy carries a "
      "user");
  EXPECT_EQ(error.message().find("pw"), std::string::npos);
}

TEST_F(IntegrationsTest, move_the_primary_role_on_demand) {
  integrations_.add(other("a"));
  integrations_.add(other("b"));
  EXPECT_EQ(puller_password("r.example"), Secret("pw-of-a"));
  integrations_.set_primary("b");
  EXPECT_EQ(puller_password("r.example"), Secret("pw-of-b"));
  NewIntegration wish = other("c");
  wish.is_primary = true;
  integrations_.add(wish);
  EXPECT_EQ(puller_password("r.example"), Secret("pw-of-c"));
}

TEST_F(IntegrationsTest, take_a_fallback_by_name_or_id_and_lose_it_with_that_one) {
  const auto spare = integrations_.add(other("spare", "spare.example"));
  NewIntegration wish = other("prod");
  wish.fallback = "spare";
  EXPECT_EQ(integrations_.add(wish).fallback_id, spare.id);
  wish = other("third", "third.example");
  wish.fallback = "nobody";
  EXPECT_EQ(refusal([&] { integrations_.add(wish); }).code(), ErrorCode::not_found);

  IntegrationChange change;
  change.fallback = "prod";
  EXPECT_EQ(
      refusal([&] { integrations_.change("prod", change); }).message(),
      "integration 'prod' cannot be its own fallback");
  change.fallback = "";
  EXPECT_EQ(integrations_.change("prod", change).fallback_id, "");
  change.fallback = spare.id;
  EXPECT_EQ(integrations_.change("prod", change).fallback_id, spare.id);
  integrations_.remove("spare");
  EXPECT_EQ(integrations_.get("prod").fallback_id, "");
}

TEST_F(IntegrationsTest, need_their_secret_again_for_another_domain_or_token_server) {
  integrations_.add(other("prod"));
  IntegrationChange move;
  move.domain = "https://Evil.example/";
  EXPECT_EQ(
      refusal([&] { integrations_.change("prod", move); }).message(),
      "integration 'prod' moves from 'r.example' to 'evil.example': its password has to be given "
      "again");
  IntegrationChange bind;
  bind.token_server = "evil.example";
  EXPECT_EQ(
      refusal([&] { integrations_.change("prod", bind); }).message(),
      "integration 'prod' gets the token server 'evil.example': its password has to be given "
      "again");
  bind.secrets.password = Secret("new");
  EXPECT_EQ(integrations_.change("prod", bind).connection.token_server, "evil.example");
  move.secrets.password = Secret("newer");
  const auto moved = integrations_.change("prod", move);
  EXPECT_EQ(moved.domain, "evil.example");
  EXPECT_EQ(moved.connection.token_server, "");
  EXPECT_EQ(store_.secrets(moved.id).password, Secret("newer"));
}

TEST_F(IntegrationsTest, are_bound_to_the_first_token_server_that_worked) {
  const auto added = integrations_.add(other("prod"));
  integrations_.bind_token_server(added.id, "auth.example");
  integrations_.bind_token_server(added.id, "other.example");
  EXPECT_EQ(integrations_.get("prod").connection.token_server, "auth.example");
}

TEST_F(IntegrationsTest, of_ecr_move_to_another_region_with_their_account) {
  NewIntegration wish = other("aws", "123456789012.dkr.ecr.eu-west-1.amazonaws.com");
  wish.provider = "ecr";
  wish.username = "AKIDEXAMPLE";
  const auto added = integrations_.add(wish);
  EXPECT_EQ(added.region, "eu-west-1");
  IntegrationChange move;
  move.region = "cn-north-1";
  move.secrets.password = Secret("key");
  const auto moved = integrations_.change("aws", move);
  EXPECT_EQ(moved.domain, "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(moved.region, "cn-north-1");
  IntegrationChange ambient;
  ambient.uses_ambient_role = true;
  EXPECT_EQ(integrations_.change("aws", ambient).username, "");
  EXPECT_TRUE(store_.secrets(added.id).password.is_empty());
  ambient.uses_ambient_role = false;
  ambient.username = "AKIDEXAMPLE";
  EXPECT_EQ(
      refusal([&] { integrations_.change("aws", ambient); }).message(),
      "integration 'aws' now needs its secret access key");
}

TEST_F(IntegrationsTest, that_create_no_repositories_any_more_forget_the_template) {
  NewIntegration wish = other("aws", "123456789012.dkr.ecr.eu-west-1.amazonaws.com");
  wish.provider = "ecr";
  wish.username = "AKIDEXAMPLE";
  wish.repository_prefix = "team";
  wish.creates_repositories = true;
  wish.repository_template = {.scans_on_push = true, .lifecycle_policy = R"({"rules":[]})"};
  integrations_.add(wish);
  IntegrationChange change;
  change.has_immutable_tags = true;
  change.lifecycle_policy = "";
  EXPECT_EQ(
      integrations_.change("aws", change).repository_template,
      (model::RepositoryTemplate{.scans_on_push = true, .has_immutable_tags = true}));
  change = {};
  change.creates_repositories = false;
  EXPECT_EQ(integrations_.change("aws", change).repository_template, model::RepositoryTemplate());
  change.scans_on_push = true;
  EXPECT_EQ(
      refusal([&] { integrations_.change("aws", change); }).message(),
      "scan on push, immutable tags and a lifecycle policy are for repositories that Freshet "
      "creates");
}

TEST_F(IntegrationsTest, of_ecr_without_a_known_domain_are_not_stored) {
  NewIntegration wish = other("aws", "");
  wish.provider = "ecr";
  wish.username = "AKIDEXAMPLE";
  wish.region = "eu-west-1";
  EXPECT_EQ(refused(wish).message(), "the domain of integration 'aws' is not known");
  wish.role_arn = "arn:aws:iam::210987654321:role/push";
  EXPECT_EQ(integrations_.add(wish).domain, "210987654321.dkr.ecr.eu-west-1.amazonaws.com");
}

}  // namespace
}  // namespace freshet::registries
