// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/distribution/authorizer.hpp"

#include "freshet/net/testing/run.hpp"
#include "freshet/net/testing/scripted_http.hpp"

#include <gtest/gtest.h>

namespace freshet::oci {
namespace {

using namespace std::chrono_literals;
using net::testing::reply;
using net::testing::run;
using net::testing::ScriptedHttp;

const std::string k_url = "https://r.example.com/v2/team/app/tags/list";
const std::string k_get = "GET " + k_url;
const std::string k_pull = "repository:team/app:pull";
const std::string k_token =
    "GET https://auth.example.com/token?service=reg&scope=repository%3Ateam%2Fapp%3Apull";
// "bob:hunter2"
const std::string k_basic = "Basic Ym9iOmh1bnRlcjI=";

net::testing::Outcome bearer_401(std::string realm = "https://auth.example.com/token") {
  return reply(
      401,
      "",
      {{"WWW-Authenticate",
        "Bearer realm=\"" + realm + "\",service=\"reg\",scope=\"repository:*:*\""}});
}

net::testing::Outcome basic_401() {
  return reply(
      401,
      R"({"errors":[{"code":"UNAUTHORIZED","message":"no"}]})",
      {{"WWW-Authenticate", "Basic realm=\"x\""}});
}

net::testing::Outcome token(std::string value, std::string more = "") {
  return reply(200, R"({"token":")" + value + "\"" + more + "}");
}

class AuthorizerTest : public ::testing::Test {
 protected:
  Authorizer make(net::HttpClient& http, bool with_credentials = true) {
    std::optional<Credentials> credentials;
    if (with_credentials) {
      credentials = Credentials{"bob", Secret("hunter2")};
    }
    return make(http, std::make_shared<FixedCredentials>(credentials));
  }
  Authorizer make(net::HttpClient& http, std::shared_ptr<CredentialSource> source) {
    return Authorizer(http, "r.example.com", std::move(source), [this] { return now_; });
  }

  static int status(Authorizer& authorizer, std::string scope = k_pull) {
    net::HttpRequest request;
    request.url = k_url;
    return run(authorizer.send(Ctx{}, request, scope)).status;
  }

  static Error refusal(Authorizer& authorizer, std::string scope = k_pull) {
    try {
      status(authorizer, scope);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return Error(ErrorCode::internal, "none");
  }

  Ctx::Clock::time_point now_{};
};

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

TEST_F(AuthorizerTest, sends_nothing_to_a_stranger_s_realm) {
  ScriptedHttp http{{k_get, bearer_401("https://attacker.example/token")}};
  Authorizer authorizer = make(http);

  const Error error = refusal(authorizer);

  EXPECT_EQ(error.code(), ErrorCode::upstream_denied);
  EXPECT_EQ(
      error.message(),
      "'r.example.com' wants its credentials sent to 'attacker.example', which belongs to somebody "
      "else");
  EXPECT_EQ(http.requests().size(), 1U);
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

/// Gives one password after the other, as often as they are discarded.
class ChangingCredentials final : public CredentialSource {
 public:
  explicit ChangingCredentials(std::vector<std::string> passwords)
      : passwords_(std::move(passwords)) {}

  Awaitable<std::optional<Credentials>> get(Ctx) override {
    co_return Credentials{"bob", Secret(passwords_[at_])};
  }
  bool discard() override {
    ++discards;
    at_ += at_ + 1 < passwords_.size() ? 1 : 0;
    return discards < static_cast<int>(passwords_.size());
  }

  int discards = 0;

 private:
  std::vector<std::string> passwords_;
  std::size_t at_ = 0;
};

TEST_F(AuthorizerTest, gets_other_credentials_when_basic_ones_are_refused) {
  ScriptedHttp http{{k_get, basic_401()}, {k_get, basic_401()}, {k_get, reply(200)}};
  auto source = std::make_shared<ChangingCredentials>(std::vector<std::string>{"old", "hunter2"});
  Authorizer authorizer = make(http, source);

  EXPECT_EQ(status(authorizer), 200);

  EXPECT_EQ(http.authorization(1), "Basic Ym9iOm9sZA==");
  EXPECT_EQ(http.authorization(2), k_basic);
  EXPECT_EQ(source->discards, 1);
}

TEST_F(AuthorizerTest, gets_other_credentials_once_when_the_token_server_refuses_them) {
  ScriptedHttp http{
      {k_get, bearer_401()}, {k_token, reply(401)}, {k_token, token("t")}, {k_get, reply(200)}};
  auto source = std::make_shared<ChangingCredentials>(std::vector<std::string>{"old", "hunter2"});
  Authorizer authorizer = make(http, source);
  EXPECT_EQ(status(authorizer), 200);
  EXPECT_EQ(http.authorization(2), k_basic);

  ScriptedHttp strict{{k_get, bearer_401()}, {k_token, reply(401)}, {k_token, reply(401)}};
  auto many = std::make_shared<ChangingCredentials>(std::vector<std::string>{"a", "b", "c", "d"});
  Authorizer refused = make(strict, many);
  EXPECT_EQ(refusal(refused).message(), "'r.example.com' refused the credentials of user 'bob'");
}

TEST_F(AuthorizerTest, trades_a_refresh_token_by_post_and_never_sends_it_otherwise) {
  ScriptedHttp http{
      {k_get, bearer_401()},
      {"POST https://auth.example.com/token", reply(200, R"({"access_token":"t"})")},
      {k_get, reply(200)}};
  Authorizer authorizer =
      make(http, std::make_shared<FixedCredentials>(Credentials{"<token>", Secret("refresh me")}));

  EXPECT_EQ(status(authorizer), 200);

  EXPECT_EQ(
      http.requests()[1].body,
      "grant_type=refresh_token&service=reg&client_id=freshet&scope=repository%3Ateam%2Fapp%3A"
      "pull&refresh_token=refresh%20me");
  EXPECT_EQ(http.authorization(1), "");
  EXPECT_EQ(http.authorization(2), "Bearer t");
  EXPECT_EQ(authorizer.who(), "the identity token");
}

TEST_F(AuthorizerTest, finds_the_bearer_challenge_among_several) {
  const std::string bearer = "Bearer realm=\"https://auth.example.com/token\",service=\"reg\"";
  for (const net::HttpHeaders& headers :
       {net::HttpHeaders{{"WWW-Authenticate", "Negotiate, Basic realm=\"x\", " + bearer}},
        net::HttpHeaders{
            {"WWW-Authenticate", "Basic realm=\"x\""}, {"WWW-Authenticate", bearer}}}) {
    ScriptedHttp http{{k_get, reply(401, "", headers)}, {k_token, token("t")}, {k_get, reply(200)}};
    Authorizer authorizer = make(http);
    EXPECT_EQ(status(authorizer), 200);
  }
}

/// Gives a token slowly enough for others to want it meanwhile.
class SlowTokens final : public net::HttpClient {
 public:
  Awaitable<net::HttpResponse> send(Ctx, net::HttpRequest request) override {
    net::HttpResponse response;
    if (request.url.find("/token") != std::string::npos) {
      ++token_requests;
      co_await sleep_for(10ms);
      response.status = token_status;
      response.body = R"({"token":"t"})";
    } else if (request.headers.find("Authorization") == "Bearer t") {
      response.status = 200;
    } else {
      response.status = 401;
      response.headers.add(
          "WWW-Authenticate", "Bearer realm=\"https://auth.example.com/token\",service=\"reg\"");
    }
    co_return response;
  }
  Awaitable<std::unique_ptr<net::HttpStream>> open(Ctx, net::HttpRequest) override {
    throw Error(ErrorCode::internal, "not expected");
  }

  int token_requests = 0;
  int token_status = 200;
};

Awaitable<void> count_success(Authorizer& authorizer, int& successes) {
  net::HttpRequest request;
  request.url = k_url;
  try {
    const net::HttpResponse response = co_await authorizer.send(Ctx(), request, k_pull);
    successes += response.status == 200 ? 1 : 0;
  } catch (const Error&) {
    co_return;
  }
}

TEST_F(AuthorizerTest, asks_once_for_a_token_that_many_need_at_once) {
  for (const int token_status : {200, 401}) {
    SlowTokens http;
    http.token_status = token_status;
    Authorizer authorizer = make(http);
    asio::io_context io;
    int successes = 0;
    for (int request = 0; request < 20; ++request) {
      asio::co_spawn(io, count_success(authorizer, successes), [](std::exception_ptr) {});
    }
    io.run();
    EXPECT_EQ(http.token_requests, 1);
    EXPECT_EQ(successes, token_status == 200 ? 20 : 0);
  }
}

TEST_F(AuthorizerTest, renews_its_token_but_does_not_repeat_a_streamed_body) {
  ScriptedHttp http{
      {k_get, bearer_401()},
      {k_token, token("t1")},
      {k_get, reply(200)},
      {"PATCH " + k_url, bearer_401()},
      {k_token, token("t2")},
      {k_get, reply(200)}};
  Authorizer authorizer = make(http);
  status(authorizer);
  net::testing::TextStream body("abc");
  net::HttpRequest upload;
  upload.method = "PATCH";
  upload.url = k_url;
  upload.body_stream = &body;
  EXPECT_EQ(run(authorizer.send(Ctx{}, upload, k_pull)).status, 401);
  EXPECT_EQ(status(authorizer), 200);
  EXPECT_EQ(http.authorization(5), "Bearer t2");
}

}  // namespace
}  // namespace freshet::oci
