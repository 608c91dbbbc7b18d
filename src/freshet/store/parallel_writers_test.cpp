// SPDX-License-Identifier: Apache-2.0
#include "freshet/store/testing/contract.hpp"
#include "freshet/store/testing/parallel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <thread>

namespace freshet::store {
namespace {

using model::RegistryIntegration;
using testing::error_of;
using testing::in_parallel;
using testing::in_processes;
using testing::Outcome;
using testing::TempDataDirectory;
using testing::TempDirectory;

RegistryIntegration integration(int number) {
  RegistryIntegration out;
  out.name = fmt::format("r{}", number);
  out.domain = fmt::format("d{}.example", number % 3);
  out.is_default = true;
  out.is_caching = true;
  return out;
}

std::string broken_rule(const std::vector<RegistryIntegration>& all) {
  int defaults = 0;
  int cachings = 0;
  std::map<std::string, int> primaries;
  for (const auto& found : all) {
    defaults += found.is_default ? 1 : 0;
    cachings += found.is_caching ? 1 : 0;
    primaries[found.domain] += found.is_primary ? 1 : 0;
  }
  for (const auto& [domain, count] : primaries) {
    if (count != 1) {
      return fmt::format("{} has {} primaries", domain, count);
    }
  }
  return defaults == 1 && cachings == 1
             ? ""
             : fmt::format("{} defaults, {} caching", defaults, cachings);
}

TEST(ParallelWriters, keep_the_roles_while_a_hundred_add_integrations) {
  TempDataDirectory directory;
  const Outcome outcome =
      in_parallel(100, directory.directory(), [](int number, DataDirectory& data) {
        data.registries().add(integration(number), Secret(fmt::format("password {}", number)));
      });
  EXPECT_EQ(outcome.failures, 0) << outcome.text;
  const auto all = directory->registries().list();
  EXPECT_EQ(all.size(), 100u);
  EXPECT_EQ(broken_rule(all), "");
  for (const auto& found : all) {
    EXPECT_EQ(
        directory->registries().secrets(found.id).password.reveal(),
        "password " + found.name.substr(1));
  }
}

TEST(ParallelWriters, keep_the_roles_while_they_are_moved_and_their_holders_removed) {
  TempDataDirectory directory;
  std::vector<std::string> ids;
  for (int number = 0; number < 30; ++number) {
    ids.push_back(directory->registries().add(integration(number), Secret("s3cret")).id);
  }
  const Outcome outcome =
      in_parallel(24, directory.directory(), [&](int number, DataDirectory& data) {
        const auto mine = static_cast<std::size_t>(number);
        if (number % 2 == 0) {
          data.registries().remove(ids[mine]);
        } else {
          data.registries().update(ids[mine], [](RegistryIntegration& row) {
            row.is_default = true;
            row.is_caching = true;
          });
          EXPECT_EQ(broken_rule(data.registries().list()), "");
        }
      });
  EXPECT_EQ(outcome.failures, 0) << outcome.text;
  const auto all = directory->registries().list();
  EXPECT_EQ(all.size(), 18u);
  EXPECT_EQ(broken_rule(all), "");
}

TEST(ParallelWriters, keep_every_rule_while_a_hundred_change_everything_at_once) {
  TempDataDirectory directory;
  std::vector<std::string> ids;
  for (int number = 0; number < 20; ++number) {
    ids.push_back(directory->registries().add(integration(number), Secret("s3cret")).id);
  }
  const Outcome outcome =
      in_parallel(100, directory.directory(), [&](int number, DataDirectory& data) {
        const std::string& mine = ids[static_cast<std::size_t>(number % 20)];
        data.registries().update(
            mine,
            [&](RegistryIntegration& row) {
              row.is_primary = true;
              row.is_default = true;
              row.is_caching = number % 2 == 0 || row.is_caching;
              row.domain = fmt::format("d{}.example", number % 4);
              row.fallback_id = ids[static_cast<std::size_t>((number + 1) % 20)];
            },
            {Secret(fmt::format("password {}", number)), {}, {}});
        EXPECT_EQ(broken_rule(data.registries().list()), "");
      });
  EXPECT_EQ(outcome.failures, 0) << outcome.text;
  EXPECT_EQ(broken_rule(directory->registries().list()), "");
}

TEST(ParallelWriters, let_only_one_of_many_take_a_name) {
  TempDataDirectory directory;
  const Outcome outcome = in_parallel(20, directory.directory(), [](int, DataDirectory& data) {
    data.registries().add(integration(0), Secret("s3cret"));
  });
  EXPECT_EQ(outcome.failures, 19);
  EXPECT_EQ(
      outcome.text,
      "conflict\n"
      "error: an integration named 'r0' exists already\n"
      "hint: choose another name, or remove that integration first\n");
}

TEST(ParallelWriters, share_one_handle_between_threads) {
  TempDataDirectory directory;
  std::vector<std::jthread> threads;
  for (int number = 0; number < 8; ++number) {
    threads.emplace_back([&, number] {
      directory->registries().add(integration(number), Secret("s3cret"));
      EXPECT_EQ(broken_rule(directory->registries().list()), "");
    });
  }
  threads.clear();
  EXPECT_EQ(directory->registries().list().size(), 8u);
}

TEST(ParallelWriters, end_a_build_once) {
  TempDataDirectory directory;
  model::BuildRecord build;
  build.id = "b1";
  directory->builds().add(build);
  const Outcome outcome =
      in_parallel(10, directory.directory(), [](int number, DataDirectory& data) {
        data.builds().finish("b1", model::StepResult::failure, fmt::format("reason {}", number));
        EXPECT_TRUE(data.builds().list_running().empty());
      });
  EXPECT_EQ(outcome.failures, 0) << outcome.text;
  EXPECT_THAT(directory->builds().find("b1")->reason, ::testing::StartsWith("reason "));
}

TEST(FirstStart, of_many_processes_at_one_moment_makes_one_database_and_one_key) {
  for (int round = 0; round < 5; ++round) {
    TempDirectory parent;
    const fs::path directory = parent.path() / "data";
    const int succeeded = in_processes(8, [&](int number) {
      DataDirectory::open(directory)->registries().add(integration(number), Secret("s3cret"));
    });
    EXPECT_EQ(succeeded, 8);
    const auto data = DataDirectory::open(directory);
    const auto all = data->registries().list();
    EXPECT_EQ(all.size(), 8u);
    EXPECT_EQ(broken_rule(all), "");
    for (const auto& found : all) {
      EXPECT_EQ(data->registries().secrets(found.id).password.reveal(), "s3cret");
    }
  }
}

TEST(FirstStart, of_many_threads_agrees_on_the_owner_id) {
  TempDirectory parent;
  std::mutex mutex;
  std::set<std::string> owners;
  const Outcome outcome = in_parallel(10, parent.path() / "data", [&](int, DataDirectory& data) {
    const std::lock_guard lock(mutex);
    owners.insert(data.owner_id());
  });
  EXPECT_EQ(outcome.failures, 0) << outcome.text;
  EXPECT_EQ(owners.size(), 1u);
}

}  // namespace
}  // namespace freshet::store
