// SPDX-License-Identifier: Apache-2.0
#include "freshet/store/testing/contract.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::store {
namespace {

using model::BuildRecord;
using model::StepResult;
using testing::error_of;

BuildRecord build(const std::string& id) {
  BuildRecord out;
  out.id = id;
  out.pipeline = "team/ci";
  out.started_at = UnixTime(std::chrono::milliseconds(1'700'000'000'123));
  return out;
}

class BuildStoreContract : public testing::StoreContract {
 protected:
  std::vector<std::string> running() {
    std::vector<std::string> ids;
    for (const auto& found : reader().builds().list_running()) {
      ids.push_back(found.id);
    }
    return ids;
  }
};

INSTANTIATE_TEST_SUITE_P(Handles, BuildStoreContract, ::testing::Bool(), testing::handle_name);

TEST_P(BuildStoreContract, gives_back_every_field) {
  BuildRecord wanted = build("b1");
  wanted.git = {"owner", "repo", "main", "0123abcd", "Ann", "fix: it", "https://git.example/c"};
  writer().builds().add(wanted);
  const auto found = reader().builds().find("b1");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->pipeline, "team/ci");
  EXPECT_EQ(found->result, StepResult::running);
  EXPECT_EQ(found->reason, "");
  EXPECT_EQ(found->git.repo_owner, "owner");
  EXPECT_EQ(found->git.commit_url, "https://git.example/c");
  EXPECT_EQ(found->started_at, wanted.started_at);
  EXPECT_FALSE(found->finished_at);
  EXPECT_FALSE(reader().builds().find("b2"));
}

TEST_P(BuildStoreContract, stores_a_build_that_has_ended_already) {
  BuildRecord wanted = build("b1");
  wanted.result = StepResult::failure;
  wanted.finished_at = wanted.started_at;
  writer().builds().add(wanted);
  EXPECT_EQ(reader().builds().find("b1")->finished_at, wanted.started_at);
  EXPECT_THAT(running(), ::testing::IsEmpty());
}

TEST_P(BuildStoreContract, lists_running_builds_oldest_first) {
  for (const char* id : {"b2", "b1", "b3"}) {
    writer().builds().add(build(id));
  }
  writer().builds().finish("b1", StepResult::success, "");
  EXPECT_THAT(running(), ::testing::ElementsAre("b2", "b3"));
}

TEST_P(BuildStoreContract, ends_a_build_once) {
  writer().builds().add(build("b1"));
  const UnixTime before = now();
  writer().builds().finish("b1", StepResult::terminated, "stopped by the user");
  const auto ended = reader().builds().find("b1");
  EXPECT_EQ(ended->result, StepResult::terminated);
  EXPECT_EQ(ended->reason, "stopped by the user");
  ASSERT_TRUE(ended->finished_at);
  EXPECT_GE(*ended->finished_at, before);
  writer().builds().finish("b1", StepResult::success, "too late");
  EXPECT_EQ(reader().builds().find("b1")->result, StepResult::terminated);
  EXPECT_EQ(reader().builds().find("b1")->reason, "stopped by the user");
  EXPECT_EQ(reader().builds().find("b1")->finished_at, ended->finished_at);
}

TEST_P(BuildStoreContract, refuses_an_id_twice) {
  writer().builds().add(build("b1"));
  EXPECT_EQ(
      error_of([&] { writer().builds().add(build("b1")); }),
      "conflict\nerror: a build with the id 'b1' exists already\n");
}

TEST_P(BuildStoreContract, names_a_build_that_it_does_not_know) {
  EXPECT_EQ(
      error_of([&] { writer().builds().finish("b1", StepResult::success, ""); }),
      "not_found\nerror: there is no build with the id 'b1'\n");
}

}  // namespace
}  // namespace freshet::store
