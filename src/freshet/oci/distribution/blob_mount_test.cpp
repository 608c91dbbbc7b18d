// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/testing/upload_script.hpp"

#include <gtest/gtest.h>

namespace freshet::oci {
namespace {

using net::testing::reply;
using net::testing::run;
using net::testing::ScriptedHttp;
using testing::PatientClient;
using testing::session;

class MountTest : public ::testing::Test {
 protected:
  const Digest digest_ = Digest::of("x");
  const std::string mount_ =
      "POST /v2/team/app/blobs/uploads/?mount=" + net::url_encode(digest_.to_string()) +
      "&from=team%2Fbase";
};

TEST_F(MountTest, costs_one_request) {
  ScriptedHttp http{{mount_, reply(201)}};
  PatientClient client(http);
  EXPECT_TRUE(run(client->mount_blob(Ctx{}, "team/app", digest_, "team/base")));
}

TEST_F(MountTest, asks_for_one_token_for_both_repositories) {
  ScriptedHttp http{
      {mount_,
       reply(
           401, "", {{"WWW-Authenticate", "Bearer realm=\"https://r.example/t\",service=\"s\""}})},
      {"GET /t?service=s&scope=repository%3Ateam%2Fapp%3Apull%2Cpush&scope=repository%3Ateam%2F"
       "base%3Apull",
       reply(200, R"({"token":"both"})")},
      {mount_, reply(201)}};
  PatientClient client(http);
  EXPECT_TRUE(run(client->mount_blob(Ctx{}, "team/app", digest_, "team/base")));
  EXPECT_EQ(http.authorization(2), "Bearer both");
}

TEST_F(MountTest, ends_the_upload_that_a_registry_begins_instead) {
  ScriptedHttp http{{mount_, session()}, {"DELETE /u/1?state=a", reply(204)}};
  PatientClient client(http);
  EXPECT_FALSE(run(client->mount_blob(Ctx{}, "team/app", digest_, "team/base")));
  EXPECT_TRUE(http.finished());
}

TEST_F(MountTest, takes_a_refusal_for_a_no) {
  for (const int status : {400, 401, 403, 404, 405}) {
    ScriptedHttp http{{mount_, reply(status)}};
    PatientClient client(http);
    EXPECT_FALSE(run(client->mount_blob(Ctx{}, "team/app", digest_, "team/base"))) << status;
  }
}

}  // namespace
}  // namespace freshet::oci
