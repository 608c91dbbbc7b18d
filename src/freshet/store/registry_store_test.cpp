// SPDX-License-Identifier: Apache-2.0
#include "freshet/store/testing/contract.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::store {
namespace {

using model::Provider;
using model::RegistryIntegration;
using testing::error_of;

RegistryIntegration integration(
    const std::string& name, const std::string& domain = "registry.example") {
  RegistryIntegration out;
  out.name = name;
  out.domain = domain;
  out.username = "robot";
  return out;
}

void take_default(RegistryIntegration& row) {
  row.is_default = true;
}

void take_caching(RegistryIntegration& row) {
  row.is_caching = true;
}

RegistryStore::Edit renamed(const std::string& name) {
  return [name](RegistryIntegration& row) { row.name = name; };
}

class RegistryStoreContract : public testing::StoreContract {
 protected:
  std::string add(const RegistryIntegration& wanted, const std::string& password = "s3cret") {
    return writer().registries().add(wanted, Secret(password)).id;
  }

  std::vector<std::string> names_where(bool RegistryIntegration::*flag) {
    std::vector<std::string> out;
    for (const auto& found : reader().registries().list()) {
      if (found.*flag) {
        out.push_back(found.name);
      }
    }
    return out;
  }
};

INSTANTIATE_TEST_SUITE_P(Handles, RegistryStoreContract, ::testing::Bool(), testing::handle_name);

TEST_P(RegistryStoreContract, gives_back_every_field) {
  RegistryIntegration wanted = integration("prod", "registry.example:5000");
  wanted.provider = Provider::gar;
  wanted.repository_prefix = "team/äpp";
  const UnixTime before = now();
  const RegistryIntegration added = writer().registries().add(wanted, Secret("s3cret"));
  const auto found = reader().registries().find("prod");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, added.id);
  EXPECT_EQ(found->id.size(), 24u);
  EXPECT_EQ(found->name, "prod");
  EXPECT_EQ(found->provider, Provider::gar);
  EXPECT_EQ(found->domain, "registry.example:5000");
  EXPECT_EQ(found->username, "robot");
  EXPECT_EQ(found->repository_prefix, "team/äpp");
  EXPECT_FALSE(found->is_default);
  EXPECT_FALSE(found->is_caching);
  EXPECT_TRUE(found->is_primary);
  EXPECT_GE(found->created_at, before);
  EXPECT_LE(found->created_at, now());
  EXPECT_EQ(found->created_at, added.created_at);
}

TEST_P(RegistryStoreContract, lists_the_oldest_first) {
  for (const char* name : {"b", "a", "c"}) {
    add(integration(name));
  }
  std::vector<std::string> names;
  for (const auto& found : reader().registries().list()) {
    names.push_back(found.name);
  }
  EXPECT_THAT(names, ::testing::ElementsAre("b", "a", "c"));
}

TEST_P(RegistryStoreContract, finds_by_exact_name_and_by_id_only) {
  const std::string id = add(integration("prod"));
  EXPECT_EQ(reader().registries().find(id)->name, "prod");
  EXPECT_FALSE(reader().registries().find("Prod"));
  EXPECT_FALSE(reader().registries().find("pro"));
  EXPECT_FALSE(reader().registries().find(""));
  EXPECT_FALSE(reader().registries().find("' OR 1=1 --"));
}

TEST_P(RegistryStoreContract, prefers_a_name_that_looks_like_the_id_of_another) {
  const std::string id = add(integration("prod"));
  add(integration(id));
  EXPECT_EQ(reader().registries().find(id)->name, id);
}

TEST_P(RegistryStoreContract, refuses_a_name_that_is_taken) {
  add(integration("prod"));
  EXPECT_EQ(
      error_of([&] { add(integration("prod", "other.example")); }),
      "conflict\n"
      "error: an integration named 'prod' exists already\n"
      "hint: choose another name, or remove that integration first\n");
  EXPECT_EQ(reader().registries().list().size(), 1u);
}

TEST_P(RegistryStoreContract, keeps_one_default) {
  RegistryIntegration first = integration("first");
  first.is_default = true;
  add(first);
  EXPECT_THAT(names_where(&RegistryIntegration::is_default), ::testing::ElementsAre("first"));
  RegistryIntegration second = integration("second");
  second.is_default = true;
  add(second);
  EXPECT_THAT(names_where(&RegistryIntegration::is_default), ::testing::ElementsAre("second"));
  writer().registries().update(reader().registries().find("first")->id, take_default);
  EXPECT_THAT(names_where(&RegistryIntegration::is_default), ::testing::ElementsAre("first"));
}

TEST_P(RegistryStoreContract, keeps_one_caching_registry) {
  RegistryIntegration first = integration("first");
  first.is_caching = true;
  add(first);
  const std::string second = add(integration("second"));
  writer().registries().update(second, take_caching);
  writer().registries().update(second, take_caching);
  EXPECT_THAT(names_where(&RegistryIntegration::is_caching), ::testing::ElementsAre("second"));
}

TEST_P(RegistryStoreContract, never_lets_docker_hub_be_the_cache) {
  constexpr std::string_view k_refusal =
      "invalid_input\n"
      "error: integration 'hub' cannot be the caching registry: Docker Hub lacks what the cache "
      "needs\n"
      "hint: choose an integration for another registry\n";
  RegistryIntegration hub = integration("hub", "docker.io");
  const std::string id = add(hub);
  EXPECT_EQ(error_of([&] { writer().registries().update(id, take_caching); }), k_refusal);
  hub.is_caching = true;
  EXPECT_EQ(error_of([&] { add(hub); }), k_refusal);
  hub.domain = "mirror.example";
  hub.provider = Provider::dockerhub;
  EXPECT_EQ(error_of([&] { add(hub); }), k_refusal);
  EXPECT_THAT(names_where(&RegistryIntegration::is_caching), ::testing::IsEmpty());
}

TEST_P(RegistryStoreContract, makes_the_first_of_a_domain_primary) {
  add(integration("a1", "a.example"));
  add(integration("a2", "a.example"));
  add(integration("b1", "b.example"));
  EXPECT_THAT(names_where(&RegistryIntegration::is_primary), ::testing::ElementsAre("a1", "b1"));
}

TEST_P(RegistryStoreContract, moves_the_primary_role_to_whoever_asks_for_it) {
  RegistryIntegration claims = integration("a2", "a.example");
  claims.is_primary = true;
  const std::string first = add(integration("a1", "a.example"));
  add(claims);
  add(integration("b1", "b.example"));
  EXPECT_THAT(names_where(&RegistryIntegration::is_primary), ::testing::ElementsAre("a2", "b1"));
  const auto take = [](auto& row) { row.is_primary = true; };
  const auto give_up = [](auto& row) { row.is_primary = false; };
  EXPECT_TRUE(writer().registries().update(first, take).is_primary);
  EXPECT_THAT(names_where(&RegistryIntegration::is_primary), ::testing::ElementsAre("a1", "b1"));
  EXPECT_TRUE(writer().registries().update(first, give_up).is_primary);
}

TEST_P(RegistryStoreContract, settles_the_primaries_of_both_domains_when_one_moves) {
  const std::string first = add(integration("a1", "a.example"));
  add(integration("a2", "a.example"));
  add(integration("b1", "b.example"));
  const auto to = [](std::string domain, bool primary) {
    return [domain, primary](RegistryIntegration& row) {
      row.domain = domain;
      row.is_primary = primary;
    };
  };
  RegistryStore& store = writer().registries();
  store.update(first, to("b.example", false), {Secret("x"), {}, {}});
  EXPECT_THAT(names_where(&RegistryIntegration::is_primary), ::testing::ElementsAre("a2", "b1"));
  store.update(first, to("a.example", true), {Secret("x"), {}, {}});
  EXPECT_THAT(names_where(&RegistryIntegration::is_primary), ::testing::ElementsAre("a1", "b1"));
  store.update(first, to("c.example", false), {Secret("x"), {}, {}});
  EXPECT_THAT(
      names_where(&RegistryIntegration::is_primary), ::testing::ElementsAre("a1", "a2", "b1"));
}

TEST_P(RegistryStoreContract, hands_the_primary_role_to_the_oldest_that_is_left) {
  const std::string first = add(integration("a1", "a.example"));
  add(integration("b1", "b.example"));
  add(integration("a2", "a.example"));
  const std::string last = add(integration("a3", "a.example"));
  writer().registries().remove(last);
  EXPECT_THAT(names_where(&RegistryIntegration::is_primary), ::testing::ElementsAre("a1", "b1"));
  writer().registries().remove(first);
  EXPECT_THAT(names_where(&RegistryIntegration::is_primary), ::testing::ElementsAre("b1", "a2"));
}

TEST_P(RegistryStoreContract, renames_unless_the_name_is_taken) {
  const std::string id = add(integration("old"));
  add(integration("taken"));
  EXPECT_EQ(
      error_of([&] { writer().registries().update(id, renamed("taken")); }),
      "conflict\n"
      "error: an integration named 'taken' exists already\n"
      "hint: choose another name, or remove that integration first\n");
  writer().registries().update(id, renamed("old"));
  writer().registries().update(id, renamed("new"));
  EXPECT_EQ(reader().registries().find(id)->name, "new");
  EXPECT_EQ(reader().registries().secrets(id).password.reveal(), "s3cret");
}

TEST_P(RegistryStoreContract, changes_prefix_and_credentials_alone) {
  const std::string id = add(integration("prod"));
  writer().registries().update(id, [](auto& row) { row.repository_prefix = "team/app"; });
  writer().registries().update(
      id, [](auto& row) { row.username = "other"; }, {Secret("renewed"), {}, {}});
  const auto found = reader().registries().find("prod");
  EXPECT_EQ(found->repository_prefix, "team/app");
  EXPECT_EQ(found->username, "other");
  EXPECT_EQ(found->domain, "registry.example");
  EXPECT_TRUE(found->is_primary);
  EXPECT_EQ(reader().registries().secrets(id).password.reveal(), "renewed");
}

TEST_P(RegistryStoreContract, gives_each_integration_its_own_password) {
  const std::string a = add(integration("a"), "password of a");
  const std::string b = add(integration("b"), std::string());
  EXPECT_EQ(reader().registries().secrets(a).password.reveal(), "password of a");
  EXPECT_EQ(reader().registries().secrets(b).password.reveal(), "");
}

TEST_P(RegistryStoreContract, names_an_id_that_it_does_not_know) {
  constexpr std::string_view k_unknown =
      "not_found\nerror: there is no integration with the id 'nope'\n";
  RegistryStore& store = writer().registries();
  EXPECT_EQ(error_of([&] { store.update("nope", take_default); }), k_unknown);
  EXPECT_EQ(error_of([&] { store.remove("nope"); }), k_unknown);
  EXPECT_EQ(error_of([&] { store.secrets("nope"); }), k_unknown);
}

TEST_P(RegistryStoreContract, keeps_the_default_when_the_new_one_is_unknown) {
  RegistryIntegration wanted = integration("prod");
  wanted.is_default = true;
  add(wanted);
  EXPECT_THROW(writer().registries().update("nope", take_default), Error);
  EXPECT_THAT(names_where(&RegistryIntegration::is_default), ::testing::ElementsAre("prod"));
}

TEST_P(RegistryStoreContract, forgets_a_removed_integration_with_its_password_and_roles) {
  RegistryIntegration wanted = integration("prod");
  wanted.is_default = true;
  const std::string id = add(wanted);
  writer().registries().remove(id);
  EXPECT_TRUE(reader().registries().list().empty());
  EXPECT_THROW(reader().registries().secrets(id), Error);
  EXPECT_NE(add(integration("prod")), id);
  EXPECT_THAT(names_where(&RegistryIntegration::is_default), ::testing::IsEmpty());
}

TEST_P(RegistryStoreContract, keeps_everything_that_an_integration_can_say) {
  RegistryIntegration wanted = integration("aws", "123456789012.dkr.ecr.eu-west-1.amazonaws.com");
  wanted.provider = Provider::ecr;
  wanted.preset = "ecr";
  wanted.region = "eu-west-1";
  wanted.role_arn = "arn:aws:iam::123456789012:role/push";
  wanted.uses_ambient_role = true;
  wanted.creates_repositories = true;
  wanted.repository_template = {
      .scans_on_push = true, .has_immutable_tags = true, .lifecycle_policy = R"({"rules":[]})"};
  wanted.repository_prefix = "team";
  wanted.fallback_id = add(integration("other"));
  wanted.is_default = true;
  wanted.is_caching = true;
  wanted.is_behind_firewall = true;
  wanted.connection = {
      .is_plain_http = true,
      .is_verification_off = true,
      .ca_certificates = "-----BEGIN CERTIFICATE-----",
      .client_certificate = "chain",
      .proxy = "http://proxy.example:3128",
      .proxy_username = "ada",
      .mirror = "mirror.example/hub",
      .token_server = "auth.example"};
  model::RegistrySecrets secrets(Secret("password"));
  secrets.client_key = Secret("key");
  secrets.proxy_password = Secret("proxy password");

  const RegistryIntegration added = writer().registries().add(wanted, secrets);

  wanted.id = added.id;
  wanted.created_at = added.created_at;
  wanted.is_primary = true;
  EXPECT_EQ(added, wanted);
  EXPECT_EQ(*reader().registries().find("aws"), wanted);
  EXPECT_EQ(reader().registries().secrets(added.id), secrets);
}

TEST_P(RegistryStoreContract, pushes_automatically_until_another_mode_is_set) {
  EXPECT_EQ(reader().registries().push_mode(), model::PushMode::automatic);
  for (const auto mode :
       {model::PushMode::never, model::PushMode::explicit_only, model::PushMode::automatic}) {
    writer().registries().set_push_mode(mode);
    EXPECT_EQ(reader().registries().push_mode(), mode);
  }
}

TEST_P(RegistryStoreContract, undoes_a_change_that_is_refused_half_way) {
  const std::string id = add(integration("prod"));
  const auto edit = [](RegistryIntegration& row) {
    row.name = "changed";
    throw Error(ErrorCode::invalid_input, "no");
  };
  EXPECT_THROW(writer().registries().update(id, edit), Error);
  const auto unknown_fallback = [](RegistryIntegration& row) {
    row.name = "changed";
    row.fallback_id = "nope";
  };
  EXPECT_EQ(
      error_of([&] {
        writer().registries().update(id, unknown_fallback, {Secret("x"), {}, {}});
      }),
      "invalid_input\nerror: the fallback of integration 'changed' does not exist: 'nope'\n");
  EXPECT_EQ(reader().registries().list().at(0).name, "prod");
  EXPECT_EQ(reader().registries().secrets(id).password.reveal(), "s3cret");
}

TEST_P(RegistryStoreContract, asks_for_the_password_again_when_the_domain_changes) {
  RegistryIntegration wanted = integration("prod");
  wanted.connection.token_server = "auth.example";
  const std::string id = add(wanted);
  const auto move = [](RegistryIntegration& row) { row.domain = "evil.example"; };
  EXPECT_EQ(
      error_of([&] { writer().registries().update(id, move); }),
      "invalid_input\n"
      "error: integration 'prod' moves from 'registry.example' to 'evil.example': its password has "
      "to be given again\n"
      "hint: a stored password is never sent to another host\n");
  writer().registries().update(id, move, {Secret("renewed"), {}, {}});
  EXPECT_EQ(reader().registries().secrets(id).password.reveal(), "renewed");
  EXPECT_EQ(reader().registries().find(id)->connection.token_server, "");
}

TEST_P(RegistryStoreContract, leaves_no_password_behind_that_could_follow_to_another_domain) {
  const std::string id = add(integration("prod"));
  const auto move = [](RegistryIntegration& row) {
    row.domain = "other.example";
    row.uses_ambient_role = true;
  };
  writer().registries().update(id, move);
  EXPECT_TRUE(reader().registries().secrets(id).password.is_empty());
}

TEST_P(RegistryStoreContract, forgets_the_password_of_a_proxy_that_is_another_one) {
  RegistryIntegration wanted = integration("prod");
  wanted.connection.proxy = "http://proxy.example:3128";
  wanted.connection.client_certificate = "chain";
  model::RegistrySecrets secrets(Secret("password"));
  secrets.proxy_password = Secret("proxy password");
  secrets.client_key = Secret("key");
  const std::string id = writer().registries().add(wanted, secrets).id;

  writer().registries().update(id, renamed("live"));
  EXPECT_EQ(reader().registries().secrets(id), secrets);
  const auto change = [](RegistryIntegration& row) {
    row.connection.proxy = "http://other.example:3128";
    row.connection.client_certificate.clear();
  };
  writer().registries().update(id, change);
  EXPECT_EQ(reader().registries().secrets(id), model::RegistrySecrets(Secret("password")));
}

TEST_P(RegistryStoreContract, refuses_itself_as_fallback_and_forgets_a_removed_one) {
  const std::string id = add(integration("prod"));
  const std::string spare = add(integration("spare", "spare.example"));
  const auto fall_back_to = [](std::string other) {
    return [other](RegistryIntegration& row) { row.fallback_id = other; };
  };
  EXPECT_EQ(
      error_of([&] { writer().registries().update(id, fall_back_to(id)); }),
      "invalid_input\nerror: integration 'prod' cannot be its own fallback\n");
  writer().registries().update(id, fall_back_to(spare));
  EXPECT_EQ(reader().registries().find("prod")->fallback_id, spare);
  writer().registries().remove(spare);
  EXPECT_EQ(reader().registries().find("prod")->fallback_id, "");
}

}  // namespace
}  // namespace freshet::store
