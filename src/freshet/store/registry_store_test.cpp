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
  writer().registries().set_default(reader().registries().find("first")->id);
  EXPECT_THAT(names_where(&RegistryIntegration::is_default), ::testing::ElementsAre("first"));
}

TEST_P(RegistryStoreContract, keeps_one_caching_registry) {
  RegistryIntegration first = integration("first");
  first.is_caching = true;
  add(first);
  const std::string second = add(integration("second"));
  writer().registries().set_caching(second);
  writer().registries().set_caching(second);
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
  EXPECT_EQ(error_of([&] { writer().registries().set_caching(id); }), k_refusal);
  hub.is_caching = true;
  EXPECT_EQ(error_of([&] { add(hub); }), k_refusal);
  hub.domain = "mirror.example";
  hub.provider = Provider::dockerhub;
  EXPECT_EQ(error_of([&] { add(hub); }), k_refusal);
  EXPECT_THAT(names_where(&RegistryIntegration::is_caching), ::testing::IsEmpty());
}

TEST_P(RegistryStoreContract, makes_the_first_of_a_domain_primary) {
  RegistryIntegration claims = integration("a2", "a.example");
  claims.is_primary = true;
  add(integration("a1", "a.example"));
  add(claims);
  add(integration("b1", "b.example"));
  EXPECT_THAT(names_where(&RegistryIntegration::is_primary), ::testing::ElementsAre("a1", "b1"));
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
      error_of([&] { writer().registries().rename(id, "taken"); }),
      "conflict\n"
      "error: an integration named 'taken' exists already\n"
      "hint: choose another name, or remove that integration first\n");
  writer().registries().rename(id, "old");
  writer().registries().rename(id, "new");
  EXPECT_EQ(reader().registries().find(id)->name, "new");
  EXPECT_EQ(reader().registries().password(id).reveal(), "s3cret");
}

TEST_P(RegistryStoreContract, changes_prefix_and_credentials_alone) {
  const std::string id = add(integration("prod"));
  writer().registries().set_prefix(id, "team/app");
  writer().registries().set_credentials(id, "other", Secret("renewed"));
  const auto found = reader().registries().find("prod");
  EXPECT_EQ(found->repository_prefix, "team/app");
  EXPECT_EQ(found->username, "other");
  EXPECT_EQ(found->domain, "registry.example");
  EXPECT_TRUE(found->is_primary);
  EXPECT_EQ(reader().registries().password(id).reveal(), "renewed");
}

TEST_P(RegistryStoreContract, gives_each_integration_its_own_password) {
  const std::string a = add(integration("a"), "password of a");
  const std::string b = add(integration("b"), std::string());
  EXPECT_EQ(reader().registries().password(a).reveal(), "password of a");
  EXPECT_EQ(reader().registries().password(b).reveal(), "");
}

TEST_P(RegistryStoreContract, names_an_id_that_it_does_not_know) {
  constexpr std::string_view k_unknown =
      "not_found\nerror: there is no integration with the id 'nope'\n";
  RegistryStore& store = writer().registries();
  EXPECT_EQ(error_of([&] { store.set_default("nope"); }), k_unknown);
  EXPECT_EQ(error_of([&] { store.set_caching("nope"); }), k_unknown);
  EXPECT_EQ(error_of([&] { store.set_prefix("nope", "x"); }), k_unknown);
  EXPECT_EQ(error_of([&] { store.rename("nope", "x"); }), k_unknown);
  EXPECT_EQ(error_of([&] { store.set_credentials("nope", "x", Secret("y")); }), k_unknown);
  EXPECT_EQ(error_of([&] { store.remove("nope"); }), k_unknown);
  EXPECT_EQ(error_of([&] { store.password("nope"); }), k_unknown);
}

TEST_P(RegistryStoreContract, keeps_the_default_when_the_new_one_is_unknown) {
  RegistryIntegration wanted = integration("prod");
  wanted.is_default = true;
  add(wanted);
  EXPECT_THROW(writer().registries().set_default("nope"), Error);
  EXPECT_THAT(names_where(&RegistryIntegration::is_default), ::testing::ElementsAre("prod"));
}

TEST_P(RegistryStoreContract, forgets_a_removed_integration_with_its_password_and_roles) {
  RegistryIntegration wanted = integration("prod");
  wanted.is_default = true;
  const std::string id = add(wanted);
  writer().registries().remove(id);
  EXPECT_TRUE(reader().registries().list().empty());
  EXPECT_THROW(reader().registries().password(id), Error);
  EXPECT_NE(add(integration("prod")), id);
  EXPECT_THAT(names_where(&RegistryIntegration::is_default), ::testing::IsEmpty());
}

}  // namespace
}  // namespace freshet::store
