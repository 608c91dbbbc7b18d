// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/aws/ambient.hpp"

#include "freshet/base/testing/temp_directory.hpp"
#include "freshet/net/testing/run.hpp"
#include "freshet/net/testing/scripted_http.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>

namespace freshet::registries::aws {
namespace {

using net::testing::no_answer;
using net::testing::reply;
using net::testing::run;
using net::testing::ScriptedHttp;

const std::string k_answer = R"({"AccessKeyId":"ASIA1","SecretAccessKey":"secret","Token":"token",)"
                             R"("Expiration":"2999-01-01T00:00:00Z"})";

class AmbientTest : public ::testing::Test {
 protected:
  AmbientKeys source(net::HttpClient& aws, net::HttpClient& local) {
    Access access;
    access.http = &aws;
    return {access, local, "eu-west-1", [this](std::string_view name) {
              const auto found = variables_.find(std::string(name));
              return found == variables_.end() ? std::nullopt : std::optional(found->second);
            }};
  }
  std::string id(net::HttpClient& local) {
    ScriptedHttp aws{};
    AmbientKeys keys = source(aws, local);
    return run(keys.get(Ctx{})).access_key_id;
  }
  Error refusal(net::HttpClient& local) {
    try {
      id(local);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return Error(ErrorCode::internal, "none");
  }
  std::string write(const std::string& text) {
    const std::string path = (directory_.path() / "token").string();
    std::ofstream(path) << text;
    return path;
  }

  std::map<std::string, std::string> variables_;
  freshet::testing::TempDirectory directory_;
};

TEST_F(AmbientTest, comes_first_from_the_environment) {
  variables_ = {
      {"AWS_ACCESS_KEY_ID", "AKID"},
      {"AWS_SECRET_ACCESS_KEY", "secret"},
      {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x"}};
  ScriptedHttp local{};
  EXPECT_EQ(id(local), "AKID");
}

TEST_F(AmbientTest, comes_from_a_web_identity_without_any_key) {
  variables_ = {
      {"AWS_WEB_IDENTITY_TOKEN_FILE", write("the.token\n")},
      {"AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/pod"},
      {"AWS_ROLE_SESSION_NAME", "pod-1"},
      {"AWS_REGION", "us-west-2"}};
  ScriptedHttp aws{
      {"POST https://sts.us-west-2.amazonaws.com/",
       reply(
           200,
           "<R><Credentials><AccessKeyId>ASIA2</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
           "<SessionToken>t</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration>"
           "</Credentials></R>")}};
  ScriptedHttp local{};
  AmbientKeys keys = source(aws, local);
  EXPECT_EQ(run(keys.get(Ctx{})).access_key_id, "ASIA2");
  EXPECT_EQ(run(keys.get(Ctx{})).access_key_id, "ASIA2") << "kept";
  EXPECT_EQ(
      aws.requests().at(0).body,
      "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A"
      "123456789012%3Arole%2Fpod&RoleSessionName=pod-1&DurationSeconds=3600&WebIdentityToken="
      "the.token");
  EXPECT_EQ(aws.authorization(0), "");
}

TEST_F(AmbientTest, comes_from_the_endpoint_of_a_container) {
  variables_ = {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/creds"}};
  ScriptedHttp ecs{{"GET http://169.254.170.2/v2/creds", reply(200, k_answer)}};
  EXPECT_EQ(id(ecs), "ASIA1");

  variables_ = {
      {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"},
      {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", write("pod-token")}};
  ScriptedHttp pod{{"GET http://169.254.170.23/v1/credentials", reply(200, k_answer)}};
  EXPECT_EQ(id(pod), "ASIA1");
  EXPECT_EQ(pod.authorization(0), "pod-token");
}

TEST_F(AmbientTest, is_not_asked_for_over_a_network_in_the_clear) {
  variables_ = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://evil.example/creds?x=secret"}};
  ScriptedHttp local{};
  EXPECT_EQ(
      refusal(local).message(),
      "the credentials endpoint 'http://evil.example/creds?x=***' is neither https nor an address "
      "of this machine");
}

TEST_F(AmbientTest, comes_from_the_instance_by_a_session) {
  ScriptedHttp local{
      {"PUT http://169.254.169.254/latest/api/token", reply(200, "session")},
      {"GET http://169.254.169.254/latest/meta-data/iam/security-credentials/",
       reply(200, "builder\n")},
      {"GET http://169.254.169.254/latest/meta-data/iam/security-credentials/builder",
       reply(200, k_answer)}};
  EXPECT_EQ(id(local), "ASIA1");
  EXPECT_EQ(local.requests().at(0).headers.find("X-aws-ec2-metadata-token-ttl-seconds"), "300");
  EXPECT_EQ(local.requests().at(2).headers.find("X-aws-ec2-metadata-token"), "session");
}

TEST_F(AmbientTest, is_missed_with_the_way_out) {
  ScriptedHttp nobody{
      {"PUT /latest/api/token", no_answer(net::TransportProblem::timed_out, "no answer")}};
  const Error error = refusal(nobody);
  EXPECT_EQ(error.code(), ErrorCode::not_found);
  EXPECT_EQ(error.message(), "this machine has no identity of AWS");
  variables_ = {{"AWS_EC2_METADATA_DISABLED", "TRUE"}};
  ScriptedHttp unasked{};
  EXPECT_EQ(refusal(unasked).message(), "this machine has no identity of AWS");
  variables_.clear();
  ScriptedHttp roleless{
      {"PUT /latest/api/token", reply(200, "session")},
      {"GET /latest/meta-data/iam/security-credentials/", reply(404)}};
  EXPECT_EQ(refusal(roleless).message(), "this instance has no role of AWS");
}

TEST_F(AmbientTest, that_may_not_be_asked_for_is_not_called_missing) {
  ScriptedHttp forbidden{
      {"PUT /latest/api/token", no_answer(net::TransportProblem::forbidden, "not permitted")}};
  EXPECT_EQ(refusal(forbidden).message(), "not permitted");
}

TEST_F(AmbientTest, that_is_there_but_does_not_work_is_an_error) {
  variables_ = {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/creds"}};
  for (const auto& [status, body] : {std::pair{500, "{}"}, {200, "{}"}, {200, "<html>"}}) {
    ScriptedHttp local{{"GET /v2/creds", reply(status, body)}};
    EXPECT_EQ(
        refusal(local).message(),
        fmt::format("the container's credentials endpoint gave no credentials (HTTP {})", status));
  }
}

}  // namespace
}  // namespace freshet::registries::aws
