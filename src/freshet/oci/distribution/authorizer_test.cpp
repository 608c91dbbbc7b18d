// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/testing/authorizer_script.hpp"

#include <gtest/gtest.h>

namespace freshet::oci {
namespace {

using namespace std::chrono_literals;
using net::testing::reply;
using net::testing::ScriptedHttp;
using testing::AuthorizerTest;
using testing::basic_401;
using testing::bearer_401;
using testing::k_basic;
using testing::k_get;
using testing::k_token;
using testing::token;

TEST_F(AuthorizerTest, sends_no_credentials_before_they_are_asked_for) {
  ScriptedHttp http{{k_get, reply(200)}};
  Authorizer authorizer = make(http);

  EXPECT_EQ(status(authorizer), 200);
  EXPECT_EQ(http.authorization(0), "");
}

TEST_F(AuthorizerTest, answers_a_basic_challenge_and_remembers_it) {
  ScriptedHttp http{{k_get, basic_401()}, {k_get, reply(200)}, {k_get, reply(200)}};
  Authorizer authorizer = make(http);

  EXPECT_EQ(status(authorizer), 200);
  EXPECT_EQ(status(authorizer), 200);

  EXPECT_EQ(http.authorization(1), k_basic);
  EXPECT_EQ(http.authorization(2), k_basic);
  EXPECT_TRUE(http.finished());
}

TEST_F(AuthorizerTest, leaves_refused_basic_credentials_to_the_caller) {
  ScriptedHttp http{{k_get, basic_401()}, {k_get, basic_401()}, {k_get, basic_401()}};
  Authorizer authorizer = make(http);

  EXPECT_EQ(status(authorizer), 401);
  EXPECT_EQ(status(authorizer), 401);  // known by now: one request, no second try
  EXPECT_TRUE(http.finished());
}

TEST_F(AuthorizerTest, without_credentials_leaves_a_basic_challenge_to_the_caller) {
  ScriptedHttp http{{k_get, basic_401()}};
  Authorizer authorizer = make(http, false);
  EXPECT_EQ(status(authorizer), 401);
}

TEST_F(AuthorizerTest, gets_a_token_for_the_scope_of_the_caller_and_not_of_the_challenge) {
  ScriptedHttp http{{k_get, bearer_401()}, {k_token, token("t1")}, {k_get, reply(200)}};
  Authorizer authorizer = make(http);

  EXPECT_EQ(status(authorizer), 200);

  EXPECT_EQ(http.authorization(1), k_basic);
  EXPECT_EQ(http.authorization(2), "Bearer t1");
  EXPECT_TRUE(http.requests()[1].refuse_internal_peer);
  EXPECT_TRUE(http.finished());
}

TEST_F(AuthorizerTest, asks_anonymously_without_credentials) {
  ScriptedHttp http{
      {k_get, bearer_401()},
      {k_token, reply(200, R"({"access_token":"t1"})")},
      {k_get, reply(200)}};
  Authorizer authorizer = make(http, false);

  EXPECT_EQ(status(authorizer), 200);
  EXPECT_EQ(http.authorization(1), "");
  EXPECT_EQ(http.authorization(2), "Bearer t1");
}

TEST_F(AuthorizerTest, renews_a_token_shortly_before_it_expires) {
  ScriptedHttp http{
      {k_get, bearer_401()},
      {k_token, token("t1", R"(,"expires_in":100)")},
      {k_get, reply(200)},
      {k_get, reply(200)},
      {k_token, token("t2")},
      {k_get, reply(200)}};
  Authorizer authorizer = make(http);

  status(authorizer);
  now_ += 84s;
  status(authorizer);
  EXPECT_EQ(http.authorization(3), "Bearer t1");
  now_ += 1s;
  status(authorizer);
  EXPECT_EQ(http.authorization(5), "Bearer t2");
  EXPECT_TRUE(http.finished());
}

TEST_F(AuthorizerTest, takes_a_minute_for_granted_and_no_more_than_an_hour) {
  for (const auto& [expires_in, usable] :
       {std::pair{"", 48'000ms},
        {R"(,"expires_in":999999999999)", 3'585'000ms},
        {R"(,"expires_in":"x")", 48'000ms},
        {R"(,"expires_in":-5)", 800ms}}) {
    ScriptedHttp http{
        {k_get, bearer_401()},
        {k_token, token("t1", expires_in)},
        {k_get, reply(200)},
        {k_get, reply(200)},
        {k_token, token("t2")},
        {k_get, reply(200)}};
    Authorizer authorizer = make(http);
    status(authorizer);
    now_ += usable - 1ms;
    status(authorizer);
    now_ += 1ms;
    status(authorizer);
    EXPECT_TRUE(http.finished()) << expires_in;
  }
}

TEST_F(AuthorizerTest, keeps_one_token_per_scope) {
  ScriptedHttp http{
      {k_get, bearer_401()},
      {k_token, token("pull")},
      {k_get, reply(200)},
      {"GET https://auth.example.com/token?service=reg", token("login")},
      {k_get, reply(200)},
      {"GET https://auth.example.com/token?service=reg&scope=a&scope=b", token("both")},
      {k_get, reply(200)},
      {k_get, reply(200)}};
  Authorizer authorizer = make(http);

  status(authorizer);
  status(authorizer, "");
  status(authorizer, "a b");
  status(authorizer);

  EXPECT_EQ(http.authorization(7), "Bearer pull");
  EXPECT_TRUE(http.finished());
}

TEST_F(AuthorizerTest, renews_a_refused_token_once) {
  ScriptedHttp http{
      {k_get, bearer_401()},
      {k_token, token("t1")},
      {k_get, reply(200)},
      {k_get, bearer_401()},  // revoked on the way
      {k_token, token("t2")},
      {k_get, bearer_401()}};
  Authorizer authorizer = make(http);

  EXPECT_EQ(status(authorizer), 200);
  EXPECT_EQ(status(authorizer), 401);
  EXPECT_TRUE(http.finished());
}

TEST_F(AuthorizerTest, leaves_a_fresh_token_s_refusal_to_the_caller) {
  ScriptedHttp http{{k_get, bearer_401()}, {k_token, token("t1")}, {k_get, bearer_401()}};
  Authorizer authorizer = make(http);
  EXPECT_EQ(status(authorizer), 401);
  EXPECT_TRUE(http.finished());
}

TEST_F(AuthorizerTest, keeps_the_query_of_the_realm) {
  ScriptedHttp http{
      {k_get, bearer_401("https://auth.example.com/token?tenant=7")},
      {"GET https://auth.example.com/token?tenant=7&service=reg", token("t")},
      {k_get, reply(200)}};
  Authorizer authorizer = make(http);
  EXPECT_EQ(status(authorizer, ""), 200);
}

const char* const k_stranger =
    "'r.example.com' wants its credentials sent to 'attacker.example', which belongs to somebody "
    "else";

TEST_F(AuthorizerTest, sends_nothing_to_a_stranger_s_realm) {
  for (const char* user : {"bob", "<token>"}) {  // a password, a refresh token
    ScriptedHttp http{{k_get, bearer_401("https://attacker.example/token")}};
    Authorizer authorizer =
        make(http, std::make_shared<FixedCredentials>(Credentials{user, Secret("hunter2")}));

    const Error error = refusal(authorizer);

    EXPECT_EQ(error.code(), ErrorCode::upstream_denied);
    EXPECT_EQ(error.message(), k_stranger);
    EXPECT_EQ(http.requests().size(), 1U);
    EXPECT_EQ(http.authorization(0), "");
  }
}

TEST_F(AuthorizerTest, sends_no_refresh_token_to_a_stranger_who_comes_later) {
  ScriptedHttp http{
      {k_get, bearer_401()},
      {"POST https://auth.example.com/token", token("t", R"(,"expires_in":60)")},
      {k_get, reply(200)},
      {k_get, bearer_401("https://attacker.example/token")}};
  Authorizer authorizer =
      make(http, std::make_shared<FixedCredentials>(Credentials{"<token>", Secret("hunter2")}));
  EXPECT_EQ(status(authorizer), 200);

  EXPECT_EQ(refusal(authorizer).message(), k_stranger);

  EXPECT_EQ(http.requests().size(), 4U);
  EXPECT_EQ(http.requests()[3].body, "");
}

TEST_F(AuthorizerTest, does_not_follow_a_token_server_that_redirects) {
  ScriptedHttp http{
      {k_get, bearer_401()},
      {k_token, reply(302, "", {{"Location", "http://169.254.169.254/latest"}})}};
  Authorizer authorizer = make(http);
  EXPECT_EQ(
      refusal(authorizer).message(),
      "'auth.example.com' redirects giving out a token to 'http://169.254.169.254/latest', which "
      "is "
      "not followed");
}

TEST_F(AuthorizerTest, quotes_the_token_server_that_refuses) {
  ScriptedHttp http{
      {k_get, bearer_401()},
      {k_token, reply(401, R"({"details":"incorrect username or password"})")}};
  Authorizer authorizer = make(http);

  const Error error = refusal(authorizer);

  EXPECT_EQ(error.message(), "'r.example.com' refused the credentials of user 'bob'");
  EXPECT_EQ(error.remote_text(), "incorrect username or password");
  EXPECT_EQ(error.http_status(), 401);
  EXPECT_EQ(error.message().find("hunter2"), std::string::npos);
}

TEST_F(AuthorizerTest, tells_a_missing_right_from_bad_credentials) {
  ScriptedHttp http{{k_get, bearer_401()}, {k_token, reply(403)}, {k_token, reply(403)}};
  Authorizer authorizer = make(http);
  EXPECT_EQ(
      refusal(authorizer).message(),
      "'r.example.com' does not give user 'bob' the right to 'repository:team/app:pull'");
}

TEST_F(AuthorizerTest, does_not_take_a_page_for_a_token) {
  for (const char* body :
       {"<html>",
        "[]",
        "{}",
        R"({"token":""})",
        R"({"token":7})",
        R"({"token":"a\r\nX-Evil: 1"})"}) {
    ScriptedHttp http{{k_get, bearer_401()}, {k_token, reply(200, body)}};
    Authorizer authorizer = make(http);
    EXPECT_EQ(
        refusal(authorizer).message(),
        "the token server of 'r.example.com' gave an answer without a token")
        << body;
  }
}

}  // namespace
}  // namespace freshet::oci
