// SPDX-License-Identifier: Apache-2.0
// How long a registry that does not answer, or asks for a rest, is borne with.
#include "freshet/net/testing/scripted_http.hpp"
#include "freshet/oci/testing/patient_client.hpp"

#include <gtest/gtest.h>

namespace freshet::oci {
namespace {

using net::TransportProblem;
using net::testing::no_answer;
using net::testing::reply;
using net::testing::run;
using net::testing::ScriptedHttp;
using testing::failure_of;
using testing::PatientClient;

class Patience : public ::testing::Test {
 protected:
  static Error failure(PatientClient& client, Ctx ctx = Ctx{}) {
    return failure_of(client->list_tags(ctx, "app"));
  }
  const std::string get_ = "GET /v2/app/tags/list?n=1000";
};

TEST_F(Patience, ends_after_the_last_attempt) {
  ScriptedHttp http{
      {get_, reply(503)}, {get_, no_answer(TransportProblem::closed, "lost")}, {get_, reply(500)}};
  PatientClient client(http);
  EXPECT_EQ(
      failure(client).message(),
      "'r.example' has a trouble of its own with listing the tags of 'app'");
  EXPECT_EQ(client.rests().size(), 2U);
}

TEST_F(Patience, is_not_for_what_a_policy_forbids) {
  ScriptedHttp http{{get_, no_answer(TransportProblem::forbidden, "not permitted")}};
  PatientClient client(http);
  EXPECT_EQ(failure(client).message(), "not permitted");
  EXPECT_TRUE(client.rests().empty());
}

TEST_F(Patience, rests_as_long_as_the_registry_asks_and_says_so) {
  ScriptedHttp http{
      {get_, reply(429, "", {{"Retry-After", "7"}})}, {get_, reply(200, R"({"tags":[]})")}};
  PatientClient client(http);
  EXPECT_TRUE(run(client->list_tags(Ctx{}, "app")).empty());
  ASSERT_EQ(client.rests().size(), 1U);
  EXPECT_GE(client.rests()[0], std::chrono::seconds(7));
  ASSERT_EQ(client.notices().size(), 1U);
  EXPECT_NE(client.notices()[0].find("before 'r.example' is asked again"), std::string::npos);
}

TEST_F(Patience, fails_at_once_when_the_rest_is_longer_than_there_is_time) {
  ScriptedHttp http{{get_, reply(429, "", {{"Retry-After", "900"}})}};
  PatientClient client(http);
  const Error error = failure(client, Ctx{}.within(std::chrono::minutes(1)));
  EXPECT_EQ(error.code(), ErrorCode::rate_limited);
  EXPECT_EQ(error.message(), "'r.example' demands a rest of 15m00s, longer than there is time");
  EXPECT_TRUE(client.rests().empty());
}

TEST_F(Patience, has_an_end_without_a_deadline) {
  ScriptedHttp http{{get_, reply(429, "", {{"Retry-After", "901"}})}};
  PatientClient client(http);
  const Error error = failure(client);
  EXPECT_EQ(error.code(), ErrorCode::rate_limited);
  EXPECT_EQ(error.message(), "'r.example' demands a rest of 15m01s, longer than we wait");
  EXPECT_EQ(error.hint(), "try again later, or with credentials that have a higher rate limit");
  EXPECT_TRUE(client.rests().empty());
}

TEST_F(Patience, knows_a_rate_limit_by_its_words) {
  const std::string words =
      R"({"message":"API rate limit exceeded for installation ID 7. Please wait a few minutes"})";
  ScriptedHttp http{{get_, reply(403, words)}, {get_, reply(200, R"({"tags":["v1"]})")}};
  PatientClient client(http);
  EXPECT_EQ(run(client->list_tags(Ctx{}, "app")).size(), 1U);
}

TEST_F(Patience, is_not_wasted_on_a_refusal_or_a_bad_certificate) {
  for (const auto& outcome :
       {reply(403), reply(400), reply(413), no_answer(TransportProblem::tls, "bad certificate")}) {
    ScriptedHttp http{{get_, outcome}};
    PatientClient client(http);
    failure(client);
    EXPECT_TRUE(client.rests().empty());
  }
}

TEST_F(Patience, holds_for_the_token_server_too) {
  const net::HttpHeaders demand{
      {"WWW-Authenticate", "Bearer realm=\"https://r.example/t\",service=\"s\""}};
  const std::string token = "GET /t?service=s&scope=repository%3Aapp%3Apull";
  ScriptedHttp http{
      {get_, reply(401, "", demand)},
      {token, reply(503)},
      {token, reply(200, R"({"token":"t"})")},
      {get_, reply(200, R"({"tags":["v1"]})")}};
  PatientClient client(http);
  EXPECT_EQ(run(client->list_tags(Ctx{}, "app")).size(), 1U);
}

}  // namespace
}  // namespace freshet::oci
