// SPDX-License-Identifier: Apache-2.0
#include "freshet/store/database.hpp"
#include "freshet/store/testing/contract.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>

#include <fstream>

namespace freshet::store {
namespace {

using testing::error_of;
using testing::TempDataDirectory;
using testing::TempDirectory;

constexpr std::size_t k_file_limit = 100'000'000;

int mode_of(const fs::path& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<int>(info.st_mode & 07777) : -1;
}

void overwrite(const fs::path& path, std::string_view content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

/// What an attacker, or a hand in the database, would do.
void run_sql(const fs::path& directory, const std::string& sql) {
  soci::session session(
      soci::sqlite3, "db=\"" + (directory / "freshet.db").string() + "\" timeout=5");
  session << sql;
}

std::string add_integration(
    DataDirectory& data, const std::string& name, const std::string& password) {
  model::RegistryIntegration integration;
  integration.name = name;
  integration.domain = "registry.example";
  return data.registries().add(integration, Secret(password)).id;
}

std::string open_error(const fs::path& directory) {
  return error_of([&] { DataDirectory::open(directory); });
}

/// The umask of the test, so that modes prove themselves against a careless one.
class OpenUmask {
 public:
  OpenUmask() : before_(::umask(0)) {}
  ~OpenUmask() { ::umask(before_); }

 private:
  mode_t before_;
};

TEST(DataDirectory, makes_everything_private_whatever_the_umask) {
  const OpenUmask careless;
  TempDataDirectory directory;
  add_integration(directory.data(), "prod", "s3cret");
  EXPECT_EQ(mode_of(directory.directory()), 0700);
  EXPECT_EQ(mode_of(directory.directory() / "freshet.db"), 0600);
  EXPECT_EQ(mode_of(directory.directory() / "freshet.db-wal"), 0600);
  EXPECT_EQ(mode_of(directory.directory() / "freshet.db-shm"), 0600);
  EXPECT_EQ(mode_of(directory.directory() / "key"), 0600);
}

TEST(DataDirectory, keeps_its_state_over_a_restart) {
  TempDirectory parent;
  std::string owner;
  std::string id;
  {
    const auto data = DataDirectory::open(parent.path() / "data");
    owner = data->owner_id();
    id = add_integration(*data, "prod", "s3cret");
  }
  const auto data = DataDirectory::open(parent.path() / "data/");
  EXPECT_EQ(data->owner_id(), owner);
  EXPECT_EQ(owner.size(), 24u);
  EXPECT_EQ(data->path(), parent.path() / "data");
  EXPECT_EQ(data->registries().secrets(id).password.reveal(), "s3cret");
}

TEST(DataDirectory, has_an_owner_id_of_its_own) {
  TempDataDirectory one;
  TempDataDirectory other;
  EXPECT_NE(one->owner_id(), other->owner_id());
}

TEST(DataDirectory, opens_a_path_with_blanks_and_an_equals_sign) {
  TempDirectory parent;
  const fs::path directory = parent.path() / "my data = here";
  DataDirectory::open(directory);
  EXPECT_TRUE(fs::exists(directory / "freshet.db"));
}

TEST(DataDirectory, refuses_a_path_that_the_database_cannot_open) {
  TempDirectory parent;
  const fs::path directory = parent.path() / "a\"b";
  EXPECT_EQ(
      open_error(directory),
      "invalid_input\n"
      "error: the path of the database, '" +
          (directory / "freshet.db").string() +
          "', contains a double quote\n"
          "hint: use another --data-dir\n");
}

TEST(DataDirectory, refuses_a_file_in_its_place) {
  TempDirectory parent;
  overwrite(parent.path() / "data", "x");
  EXPECT_EQ(
      open_error(parent.path() / "data"),
      "invalid_input\n"
      "error: '" +
          (parent.path() / "data").string() +
          "' is not a directory\n"
          "hint: name a directory with --data-dir\n");
}

TEST(DataDirectory, refuses_what_others_can_read) {
  struct Case {
    const char* file;
    mode_t mode;
    const char* what;
    const char* shown;
    const char* mend;
  };
  for (const Case& known : {
           Case{"", 0750, "the data directory", "0750", "700"},
           Case{"freshet.db", 0640, "the database", "0640", "600"},
           Case{"freshet.db-wal", 0644, "the database", "0644", "600"},
           Case{"key", 0604, "the sealing key", "0604", "600"},
       }) {
    TempDataDirectory directory;
    add_integration(directory.data(), "prod", "s3cret");
    const fs::path path =
        *known.file == '\0' ? directory.directory() : directory.directory() / known.file;
    ASSERT_EQ(::chmod(path.c_str(), known.mode), 0);
    EXPECT_EQ(
        open_error(directory.directory()),
        fmt::format(
            "forbidden\n"
            "error: {} '{}' can be read by others (mode {})\n"
            "hint: run 'chmod {} {}', and renew the stored passwords if others may have read it\n",
            known.what,
            path.string(),
            known.shown,
            known.mend,
            path.string()));
  }
}

TEST(DataDirectory, never_holds_a_password_in_clear) {
  TempDataDirectory directory;
  const std::string password = "correct-horse-battery-staple";
  const std::string id = add_integration(directory.data(), "findable-name", password);
  directory->registries().update(
      id,
      [](auto& row) { row.repository_prefix = "team"; },
      {Secret("renewed-" + password), Secret("key-" + password), Secret("proxy-" + password)});
  std::string stored;
  for (const auto& entry : fs::directory_iterator(directory.directory())) {
    stored += load_file(entry.path(), k_file_limit);
  }
  EXPECT_THAT(stored, ::testing::HasSubstr("findable-name")) << "the test looks in the wrong place";
  EXPECT_THAT(stored, ::testing::Not(::testing::HasSubstr(password)));
}

TEST(DataDirectory, refuses_a_password_that_was_moved_to_another_row) {
  TempDataDirectory directory;
  const std::string cheap = add_integration(directory.data(), "cheap", "cheap password");
  add_integration(directory.data(), "dear", "dear password");
  run_sql(
      directory.directory(),
      "UPDATE registry_integrations SET sealed_password = "
      "(SELECT sealed_password FROM registry_integrations WHERE name = 'dear') WHERE name = "
      "'cheap'");
  EXPECT_EQ(
      error_of([&] { directory->registries().secrets(cheap); }),
      "corrupt_data\n"
      "error: the stored secret is damaged or was sealed for another record\n"
      "  while reading the password of integration 'cheap'\n"
      "hint: enter the password of this integration again\n");
}

TEST(DataDirectory, says_so_when_the_key_is_another_one) {
  TempDirectory parent;
  const fs::path directory = parent.path() / "data";
  const std::string id = add_integration(*DataDirectory::open(directory), "prod", "s3cret");
  replace_private_file(directory / "key", std::string(32, 'k'));
  const auto data = DataDirectory::open(directory);
  EXPECT_EQ(data->registries().list().size(), 1u) << "what is not sealed stays readable";
  EXPECT_THAT(
      error_of([&] { data->registries().secrets(id); }),
      ::testing::MatchesRegex(
          "corrupt_data\n"
          "error: the stored secret was sealed with key '[0-9a-f]+', the key file holds "
          "'[0-9a-f]+'\n"
          "  while reading the password of integration 'prod'\n"
          "hint: put back the file 'key' that belongs to this database, or enter the password of "
          "this integration again\n"));
  data->registries().update(id, [](auto&) {}, {Secret("renewed"), {}, {}});
  EXPECT_EQ(data->registries().secrets(id).password.reveal(), "renewed");
}

TEST(DataDirectory, refuses_a_key_of_another_size) {
  TempDirectory parent;
  const fs::path directory = parent.path() / "data";
  DataDirectory::open(directory);
  replace_private_file(directory / "key", "short");
  EXPECT_EQ(
      open_error(directory),
      "corrupt_data\n"
      "error: '" +
          (directory / "key").string() +
          "' holds 5 bytes, a sealing key has 32\n"
          "hint: put the right file back from a backup, or remove it and enter the password of "
          "every "
          "integration again\n");
}

TEST(DataDirectory, refuses_a_database_of_a_newer_freshet) {
  TempDirectory parent;
  const fs::path directory = parent.path() / "data";
  DataDirectory::open(directory);
  run_sql(directory, "PRAGMA user_version = 99");
  EXPECT_EQ(
      open_error(directory),
      "conflict\n"
      "error: '" +
          (directory / "freshet.db").string() +
          "' was written by a newer freshet (schema 99, this one knows 5)\n"
          "hint: update freshet, or use another --data-dir\n");
}

TEST(DataDirectory, says_what_to_do_about_a_file_that_is_no_database) {
  TempDirectory parent;
  const fs::path directory = parent.path() / "data";
  DataDirectory::open(directory);
  overwrite(directory / "freshet.db", std::string(5000, 'x'));
  EXPECT_THAT(
      open_error(directory),
      ::testing::MatchesRegex("corrupt_data\n"
                              "error: '.*/freshet.db' is damaged or is not a database of freshet\n"
                              "  it said: 'file is not a database'\n"
                              "hint: put a backup in its place, or move it away and add the "
                              "integrations again; keep the "
                              "file 'key' beside it\n"));
}

TEST(DataDirectory, notices_a_database_that_was_cut_off) {
  TempDirectory parent;
  const fs::path directory = parent.path() / "data";
  add_integration(*DataDirectory::open(directory), "prod", "s3cret");
  fs::resize_file(directory / "freshet.db", 4096);
  EXPECT_THAT(open_error(directory), ::testing::StartsWith("corrupt_data\n"));
}

TEST(DataDirectory, notices_damage_inside_a_page_when_it_reads_it) {
  TempDirectory parent;
  const fs::path directory = parent.path() / "data";
  add_integration(*DataDirectory::open(directory), "prod", "s3cret");
  std::string bytes = load_file(directory / "freshet.db", k_file_limit);
  for (std::size_t page = 4096; page < bytes.size(); page += 4096) {
    bytes.replace(page, 64, std::string(64, '\xee'));
  }
  overwrite(directory / "freshet.db", bytes);
  EXPECT_THAT(
      error_of([&] { DataDirectory::open(directory)->registries().list(); }),
      ::testing::StartsWith("corrupt_data\n"));
}

TEST(Database, rolls_back_when_the_work_throws) {
  TempDataDirectory directory;
  Database database(directory.directory() / "freshet.db");
  EXPECT_THROW(
      database.write([](soci::session& session) {
        change(session, "INSERT INTO properties (name, value) VALUES ('a', 'b')");
        throw std::runtime_error("stop");
      }),
      std::runtime_error);
  const auto rows = database.read([](soci::session& session) {
    return select<TextRow>(session, "SELECT name FROM properties WHERE name = 'a'");
  });
  EXPECT_TRUE(rows.empty());
}

TEST(Database, shows_no_bound_value_in_an_error) {
  TempDataDirectory directory;
  Database database(directory.directory() / "freshet.db");
  EXPECT_THAT(
      error_of([&] {
        database.write([](soci::session& session) {
          change(
              session,
              "INSERT INTO properties (name, value) VALUES (NULL, :v)",
              std::string("s3cret"));
        });
      }),
      ::testing::AllOf(
          ::testing::StartsWith("conflict\nerror: the change breaks a rule of '"),
          ::testing::Not(::testing::HasSubstr("s3cret"))));
}

TEST(Database, says_what_to_do_when_the_file_stays_locked_or_the_disk_is_full) {
  const auto text_of = [](int code, const std::string& said) {
    return error_of([&] {
      throw to_error(soci::sqlite3_soci_error("sqlite3_x::y: " + said, code), "/d/freshet.db");
    });
  };
  EXPECT_EQ(
      text_of(SQLITE_BUSY, "database is locked"),
      "unavailable\n"
      "error: '/d/freshet.db' is held by another process for too long\n"
      "  it said: 'database is locked'\n"
      "hint: see which process that is with 'fuser /d/freshet.db', then try again\n");
  EXPECT_EQ(
      text_of(SQLITE_FULL, "database or disk is full"),
      "unavailable\n"
      "error: cannot read or write '/d/freshet.db'\n"
      "  it said: 'database or disk is full'\n"
      "hint: look at the free space and the rights of that directory\n");
}

TEST(Database, holds_to_its_references) {
  TempDataDirectory directory;
  Database database(directory.directory() / "freshet.db");
  EXPECT_THAT(
      error_of([&] {
        database.write([](soci::session& session) {
          change(
              session,
              "INSERT INTO image_layers (image_id, number, instruction, size_bytes, digest) "
              "VALUES ('nope', 1, '', 0, '')");
        });
      }),
      ::testing::StartsWith("conflict\n"));
}

}  // namespace
}  // namespace freshet::store
