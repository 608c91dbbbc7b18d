// SPDX-License-Identifier: Apache-2.0
#include "freshet/store/migrations.hpp"

#include "freshet/store/testing/contract.hpp"

#include <gtest/gtest.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

namespace freshet::store {
namespace {

using testing::error_of;
using testing::TempDataDirectory;
using testing::TempDirectory;

soci::session open_file(const fs::path& directory) {
  return {soci::sqlite3, "db=\"" + (directory / "freshet.db").string() + "\" timeout=5"};
}

/// What was sealed for the integration `id` by the program of today.
std::string sealed_password_of(const fs::path& directory, const std::string& id) {
  std::string sealed;
  soci::session session = open_file(directory);
  session << "SELECT sealed_password FROM registry_integrations WHERE id = :id", soci::use(id),
      soci::into(sealed);
  return sealed;
}

/// Puts a database in place as the first release left it, with one integration.
void write_first_schema(
    const fs::path& directory, const std::string& id, const std::string& sealed_password) {
  for (const char* suffix : {"", "-wal", "-shm"}) {
    fs::remove(fs::path(directory / "freshet.db").concat(suffix));
  }
  soci::session session = open_file(directory);
  auto* backend = static_cast<soci::sqlite3_session_backend*>(session.get_backend());
  const std::string script = migrations().front().script + "; PRAGMA user_version = 1";
  ASSERT_EQ(
      sqlite_api::sqlite3_exec(backend->conn_, script.c_str(), nullptr, nullptr, nullptr),
      SQLITE_OK);
  session << "INSERT INTO registry_integrations (id, name, provider, domain, username, "
             "sealed_password, repository_prefix, is_default, is_caching, is_primary, created_at) "
             "VALUES (:id, 'prod', 'other', 'registry.example', 'ada', :sealed, 'team', 1, 1, 1, "
             "1700000000000)",
      soci::use(id), soci::use(sealed_password);
  fs::permissions(directory / "freshet.db", fs::perms::owner_read | fs::perms::owner_write);
}

TEST(Migrations, keep_integrations_of_the_first_release_with_their_passwords) {
  TempDirectory parent;
  const fs::path directory = parent.path() / "data";
  std::string id;
  {
    model::RegistryIntegration integration;
    integration.name = "unused";
    integration.domain = "registry.example";
    id = DataDirectory::open(directory)->registries().add(integration, Secret("s3cret")).id;
  }
  write_first_schema(directory, id, sealed_password_of(directory, id));

  const auto data = DataDirectory::open(directory);

  const auto found = data->registries().find("prod");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->username, "ada");
  EXPECT_EQ(found->repository_prefix, "team");
  EXPECT_TRUE(found->is_default && found->is_caching && found->is_primary);
  EXPECT_EQ(found->connection, model::RegistryConnection());
  EXPECT_EQ(data->registries().secrets(id), model::RegistrySecrets(Secret("s3cret")));
  model::RegistryIntegration second;
  second.name = "prod";
  second.domain = "other.example";
  EXPECT_THROW(data->registries().add(second, Secret("x")), Error);
}

TEST(SharedNames, are_refused_when_something_of_another_kind_has_them) {
  TempDataDirectory directory;
  open_file(directory.directory())
      << "INSERT INTO shared_names (name, kind) VALUES ('prod', 'shared configuration')";
  model::RegistryIntegration integration;
  integration.name = "prod";
  integration.domain = "registry.example";
  EXPECT_EQ(
      error_of([&] { directory->registries().add(integration, Secret("x")); }),
      "conflict\n"
      "error: a shared configuration named 'prod' exists already\n"
      "hint: integrations and shared configurations share their names: choose another one\n");
  EXPECT_TRUE(directory->registries().list().empty());
}

}  // namespace
}  // namespace freshet::store
