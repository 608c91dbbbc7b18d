// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/aws/ecr.hpp"

#include "freshet/base/text.hpp"
#include "freshet/net/testing/run.hpp"
#include "freshet/net/testing/scripted_http.hpp"
#include "freshet/registries/aws/sts.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <gtest/gtest.h>

namespace freshet::registries::aws {
namespace {

using namespace std::chrono_literals;
using net::testing::no_answer;
using net::testing::reply;
using net::testing::run;
using net::testing::ScriptedHttp;

const std::string k_ecr = "POST https://api.ecr.eu-west-1.amazonaws.com/";
const std::string k_sts = "POST https://sts.eu-west-1.amazonaws.com/";
const UnixTime k_start(std::chrono::seconds(1'700'000'000));

/// The keys that are asked for, one after the other.
class CountedKeys final : public KeySource {
 public:
  Awaitable<Keys> get(Ctx) override {
    Keys keys;
    keys.access_key_id = fmt::format("AKID{}", generation_);
    keys.secret_access_key = Secret("secret");
    co_return keys;
  }
  bool discard() override {
    ++generation_;
    return true;
  }

 private:
  int generation_ = 1;
};

net::testing::Outcome token(std::string password, std::chrono::seconds lifetime = 12h) {
  const double expires_at =
      static_cast<double>((k_start + lifetime).time_since_epoch().count()) / 1000;
  return reply(
      200,
      fmt::format(
          R"({{"authorizationData":[{{"authorizationToken":"{}","expiresAt":{:.3f},)"
          R"("proxyEndpoint":"https://123456789012.dkr.ecr.eu-west-1.amazonaws.com"}}]}})",
          to_base64("AWS:" + password),
          expires_at));
}

net::testing::Outcome refusal(std::string kind, int status = 400) {
  return reply(
      status, fmt::format(R"({{"__type":"com.amazonaws.ecr#{}","message":"no, because"}})", kind));
}

const RepositoryPlace k_place{"eu-west-1", "123456789012", "team/app"};

class EcrTest : public ::testing::Test {
 protected:
  Access access(net::HttpClient& http) {
    Access out;
    out.http = &http;
    out.clock = [this] { return now_; };
    return out;
  }
  EcrCredentials credentials(net::HttpClient& http, std::string region = "eu-west-1") {
    return {access(http), std::move(region), keys_};
  }
  static std::string password(EcrCredentials& credentials) {
    return std::string(run(credentials.get(Ctx{}))->password.reveal());
  }

  UnixTime now_ = k_start;
  asio::io_context io_;
  std::shared_ptr<CountedKeys> keys_ = std::make_shared<CountedKeys>();
};

TEST_F(EcrTest, login_is_asked_for_as_documented) {
  ScriptedHttp http{{k_ecr, token("pw")}};
  EcrCredentials source = credentials(http);
  const RegistryToken got = run(source.token(Ctx{}));
  EXPECT_EQ(got.login.username, "AWS");
  EXPECT_EQ(got.login.password, Secret("pw"));
  EXPECT_EQ(got.domain, "123456789012.dkr.ecr.eu-west-1.amazonaws.com");
  EXPECT_EQ(got.expires_at, k_start + 12h);
  const net::HttpRequest& request = http.requests().at(0);
  EXPECT_EQ(request.body, "{}");
  EXPECT_EQ(request.headers.find("Content-Type"), "application/x-amz-json-1.1");
  EXPECT_EQ(
      request.headers.find("X-Amz-Target"),
      "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken");
  EXPECT_TRUE(http.authorization(0).starts_with(
      "AWS4-HMAC-SHA256 Credential=AKID1/20231114/eu-west-1/ecr/aws4_request, "
      "SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature="));
}

TEST_F(EcrTest, login_is_kept_until_shortly_before_it_expires) {
  ScriptedHttp http{{k_ecr, token("one", 1h)}, {k_ecr, token("two", 12h)}};
  EcrCredentials source = credentials(http);
  EXPECT_EQ(password(source), "one");
  now_ += 49min;
  EXPECT_EQ(password(source), "one");
  now_ += 2min;
  EXPECT_EQ(password(source), "two");
  EXPECT_TRUE(http.finished());
}

TEST_F(EcrTest, login_that_was_refused_is_fetched_anew_unless_it_is_fresh) {
  ScriptedHttp http{{k_ecr, token("one")}, {k_ecr, token("two")}};
  EcrCredentials source = credentials(http);
  EXPECT_EQ(password(source), "one");
  now_ += 1h;
  EXPECT_TRUE(source.discard());
  EXPECT_EQ(password(source), "two");
  EXPECT_FALSE(source.discard()) << "a third would be no other";
}

TEST_F(EcrTest, login_is_fetched_once_for_all_who_wait) {
  ScriptedHttp http{{k_ecr, token("one")}};
  EcrCredentials source = credentials(http);
  const auto both = [](EcrCredentials& shared) -> Awaitable<int> {
    using namespace asio::experimental::awaitable_operators;
    const Ctx ctx;
    const auto [a, b] = co_await (shared.get(ctx) && shared.get(ctx));
    co_return a->password == b->password ? 1 : 0;
  };
  EXPECT_EQ(run(both(source)), 1);
  EXPECT_EQ(http.requests().size(), 1u);
}

TEST_F(EcrTest, login_of_the_public_registry_has_its_own_service) {
  ScriptedHttp http{
      {"POST https://api.ecr-public.us-east-1.amazonaws.com/",
       reply(
           200,
           fmt::format(
               R"({{"authorizationData":{{"authorizationToken":"{}","expiresAt":1.7000432E9}}}})",
               to_base64("AWS:public-pw")))}};
  EcrCredentials source = credentials(http, "");
  EXPECT_EQ(password(source), "public-pw");
  EXPECT_EQ(
      http.requests().at(0).headers.find("X-Amz-Target"),
      "SpencerFrontendService.GetAuthorizationToken");
  EXPECT_NE(http.authorization(0).find("/us-east-1/ecr-public/aws4_request"), std::string::npos);
}

TEST_F(EcrTest, refusals_are_quoted) {
  ScriptedHttp http{{k_ecr, refusal("AccessDeniedException")}};
  EcrCredentials source = credentials(http);
  try {
    password(source);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::upstream_denied);
    EXPECT_EQ(error.message(), "AWS refused a request to service 'ecr' in region 'eu-west-1'");
    EXPECT_EQ(error.remote_text(), "AccessDeniedException: no, because");
    EXPECT_EQ(error.frames().at(0), "getting a login from Amazon ECR");
  }
}

TEST_F(EcrTest, keys_that_have_expired_are_asked_for_again_once) {
  ScriptedHttp http{{k_ecr, refusal("ExpiredTokenException")}, {k_ecr, token("pw")}};
  EcrCredentials source = credentials(http);
  EXPECT_EQ(password(source), "pw");
  EXPECT_NE(http.authorization(1).find("Credential=AKID2/"), std::string::npos);
  ScriptedHttp twice{
      {k_ecr, refusal("ExpiredTokenException")}, {k_ecr, refusal("ExpiredTokenException")}};
  EcrCredentials refused = credentials(twice);
  EXPECT_THROW(password(refused), Refusal);
}

TEST_F(EcrTest, busy_service_is_asked_again) {
  ScriptedHttp http{
      {k_ecr, refusal("ThrottlingException")},
      {k_ecr, no_answer(net::TransportProblem::closed, "the connection was lost")},
      {k_ecr, token("pw")}};
  EcrCredentials source = credentials(http);
  EXPECT_EQ(password(source), "pw");
}

TEST_F(EcrTest, service_that_may_not_be_reached_is_asked_once) {
  ScriptedHttp http{{k_ecr, no_answer(net::TransportProblem::forbidden, "not permitted")}};
  EcrCredentials source = credentials(http);
  EXPECT_THROW(password(source), net::TransportError);
}

TEST_F(EcrTest, answers_that_are_no_login_are_refused) {
  for (const char* body :
       {"<html>",
        "[]",
        "{}",
        R"({"authorizationData":[]})",
        R"({"authorizationData":[{"authorizationToken":"%%%"}]})",
        R"({"authorizationData":[{"authorizationToken":"QVdT"}]})",
        R"({"authorizationData":[{"authorizationToken":7}]})"}) {
    ScriptedHttp http{{k_ecr, reply(200, body)}};
    EcrCredentials source = credentials(http);
    try {
      password(source);
      ADD_FAILURE() << body;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::corrupt_data) << body;
    }
  }
}

TEST_F(EcrTest, creates_a_repository_or_finds_it_there) {
  ScriptedHttp http{
      {k_ecr, reply(200, "{}")},
      {k_ecr, refusal("RepositoryAlreadyExistsException")},
      {k_ecr, refusal("LimitExceededException")}};
  const auto create = [&] {
    return run(create_repository(Ctx{}, access(http), keys_, k_place, {}));
  };
  EXPECT_TRUE(create());
  EXPECT_EQ(
      http.requests().at(0).body, R"({"repositoryName":"team/app","registryId":"123456789012"})");
  EXPECT_EQ(
      http.requests().at(0).headers.find("X-Amz-Target"),
      "AmazonEC2ContainerRegistry_V20150921.CreateRepository");
  EXPECT_FALSE(create());
  EXPECT_THROW(create(), Refusal);
}

TEST_F(EcrTest, creates_a_repository_by_a_template) {
  ScriptedHttp http{{k_ecr, reply(200, "{}")}};
  const model::RepositoryTemplate wanted{
      .scans_on_push = true, .has_immutable_tags = true, .lifecycle_policy = "{}"};
  EXPECT_TRUE(run(create_repository(Ctx{}, access(http), keys_, k_place, wanted)));
  EXPECT_EQ(
      http.requests().at(0).body,
      R"({"repositoryName":"team/app","registryId":"123456789012",)"
      R"("imageScanningConfiguration":{"scanOnPush":true},"imageTagMutability":"IMMUTABLE"})");
}

TEST_F(EcrTest, gives_a_repository_its_lifecycle_policy) {
  ScriptedHttp http{{k_ecr, reply(200, "{}")}, {k_ecr, refusal("AccessDeniedException")}};
  const auto put = [&] {
    net::testing::run_on(
        io_, put_lifecycle_policy(Ctx{}, access(http), keys_, k_place, R"({"rules":[]})"));
  };
  put();
  EXPECT_EQ(
      http.requests().at(0).body,
      R"({"repositoryName":"team/app","registryId":"123456789012",)"
      R"("lifecyclePolicyText":"{\"rules\":[]}"})");
  EXPECT_EQ(
      http.requests().at(0).headers.find("X-Amz-Target"),
      "AmazonEC2ContainerRegistry_V20150921.PutLifecyclePolicy");
  EXPECT_THROW(put(), Refusal);
}

TEST_F(EcrTest, roles_are_taken_with_a_signed_form_and_renewed) {
  const auto answer = [](std::string id, std::string expiration) {
    return reply(
        200,
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
        "<AssumeRoleResult><AssumedRoleUser><Arn>arn:aws:sts::1:x</Arn></AssumedRoleUser>"
        "<Credentials><AccessKeyId>" +
            id +
            "</AccessKeyId><SecretAccessKey>s&amp;k"
            "</SecretAccessKey><SessionToken>t</SessionToken><Expiration>" +
            expiration + "</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>");
  };
  ScriptedHttp http{
      {k_sts, answer("ASIA1", "2023-11-14T23:13:20Z")},
      {k_sts, answer("ASIA2", "2023-11-15T00:13:20.000Z")}};
  Role role;
  role.arn = "arn:aws:iam::123456789012:role/a+b";
  AssumedRole source(access(http), "eu-west-1", keys_, role);

  const Keys first = run(source.get(Ctx{}));
  EXPECT_EQ(first.access_key_id, "ASIA1");
  EXPECT_EQ(first.secret_access_key, Secret("s&k"));
  EXPECT_EQ(first.session_token, Secret("t"));
  EXPECT_EQ(
      http.requests().at(0).body,
      "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2F"
      "a%2Bb&RoleSessionName=default-session-name&DurationSeconds=3600");
  EXPECT_NE(http.authorization(0).find("/eu-west-1/sts/aws4_request"), std::string::npos);
  now_ += 54min;
  EXPECT_EQ(run(source.get(Ctx{})).access_key_id, "ASIA1");
  now_ += 2min;
  EXPECT_EQ(run(source.get(Ctx{})).access_key_id, "ASIA2");
}

TEST(UtcTime, is_read_in_its_one_form) {
  EXPECT_EQ(parse_utc("2023-11-14T22:13:20Z"), UnixTime(std::chrono::seconds(1'700'000'000)));
  EXPECT_EQ(
      parse_utc("2023-11-14T22:13:20.123456Z"), UnixTime(std::chrono::seconds(1'700'000'000)));
  for (const char* text :
       {"",
        "2023-11-14",
        "2023-13-14T22:13:20Z",
        "2023-11-14T22:13:20",
        "2023-11-14T25:13:20Z",
        "2023-11-14T22:13:20+01:00",
        "-023-11-14T22:13:20Z",
        "2023-02-30T22:13:20Z"}) {
    EXPECT_EQ(parse_utc(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace freshet::registries::aws
