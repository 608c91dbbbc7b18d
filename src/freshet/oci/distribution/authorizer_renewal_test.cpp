// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/testing/authorizer_script.hpp"

#include <gtest/gtest.h>

namespace freshet::oci {
namespace {

using namespace std::chrono_literals;
using net::testing::reply;
using net::testing::run;
using net::testing::ScriptedHttp;
using testing::AuthorizerTest;
using testing::basic_401;
using testing::bearer_401;
using testing::k_basic;
using testing::k_get;
using testing::k_pull;
using testing::k_token;
using testing::k_url;
using testing::token;

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

TEST_F(AuthorizerTest, gets_other_credentials_when_basic_ones_are_forbidden_and_there_are_any) {
  ScriptedHttp http{{k_get, basic_401()}, {k_get, reply(403)}, {k_get, reply(200)}};
  auto source = std::make_shared<ChangingCredentials>(std::vector<std::string>{"old", "hunter2"});
  Authorizer authorizer = make(http, source);
  EXPECT_EQ(status(authorizer), 200);
  EXPECT_EQ(http.authorization(2), k_basic);

  ScriptedHttp strict{{k_get, basic_401()}, {k_get, reply(403)}};
  Authorizer fixed = make(strict);
  EXPECT_EQ(status(fixed), 403);
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

/// Time passes between a request's leave and its answer.
class LateAnswers final : public net::HttpClient {
 public:
  LateAnswers(net::HttpClient& http, Ctx::Clock::time_point& now, Ctx::Clock::duration delay)
      : http_(http), now_(now), delay_(delay) {}

  Awaitable<net::HttpResponse> send(Ctx ctx, net::HttpRequest request) override {
    now_ += delay_;
    co_return co_await http_.send(ctx, std::move(request));
  }
  Awaitable<std::unique_ptr<net::HttpStream>> open(Ctx, net::HttpRequest) override {
    throw Error(ErrorCode::internal, "not expected");
  }

 private:
  net::HttpClient& http_;
  Ctx::Clock::time_point& now_;
  Ctx::Clock::duration delay_;
};

TEST_F(AuthorizerTest, takes_a_new_token_for_no_right_unless_it_expired_on_its_way) {
  ScriptedHttp late{
      {k_get, bearer_401()},
      {k_token, token("t1")},
      {k_get, bearer_401()},
      {k_token, token("t2")},
      {k_get, reply(200)}};
  LateAnswers slow(late, now_, 2s);
  Authorizer patient = make(slow);
  EXPECT_EQ(status(patient), 200);
  EXPECT_EQ(late.authorization(4), "Bearer t2");

  ScriptedHttp prompt{{k_get, bearer_401()}, {k_token, token("t1")}, {k_get, bearer_401()}};
  LateAnswers quick(prompt, now_, 100ms);
  Authorizer refused = make(quick);
  EXPECT_EQ(status(refused), 401);
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

Awaitable<void> note_frames(Authorizer& authorizer, std::vector<std::size_t>& frames) {
  net::HttpRequest request;
  request.url = k_url;
  auto asking = authorizer.send(Ctx(), request, k_pull);
  try {
    co_await in_context("asking", std::move(asking));
  } catch (const Error& error) {
    frames.push_back(error.frames().size());
  }
}

TEST_F(AuthorizerTest, fails_for_each_who_waited_for_a_token_by_itself) {
  SlowTokens http;
  http.token_status = 401;
  Authorizer authorizer = make(http);
  asio::io_context io;
  std::vector<std::size_t> frames;
  for (int request = 0; request < 3; ++request) {
    asio::co_spawn(io, note_frames(authorizer, frames), [](std::exception_ptr) {});
  }
  io.run();
  EXPECT_EQ(frames, (std::vector<std::size_t>{1, 1, 1}));
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
