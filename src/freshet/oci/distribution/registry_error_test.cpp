// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/distribution/registry_error.hpp"

#include "freshet/base/error_text.hpp"
#include "freshet/oci/distribution/pagination.hpp"
#include "freshet/oci/distribution/ping.hpp"

#include <gtest/gtest.h>

namespace freshet::oci {
namespace {

net::HttpResponse answer(int status, std::string body = {}, net::HttpHeaders headers = {}) {
  net::HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  response.headers = std::move(headers);
  return response;
}

TEST(RegistryWords, are_taken_from_every_known_form) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {R"({"errors":[{"code":"DENIED","message":"requested access is denied"}]})",
       "DENIED: requested access is denied"},
      {R"({"errors":[{"code":"A","message":"one"},{"code":"B","message":"two"}]})",
       "A: one; B: two"},
      {R"({"errors":[{"code":"A","message":"one","detail":"more"}]})", "A: one (more)"},
      {R"({"errors":[{"code":"A","detail":{"x":1}}]})", "A"},
      {R"({"errors":[{"message":"only"}]})", "only"},
      {R"({"details":"incorrect username or password"})", "incorrect username or password"},
      {R"({"message":"no"})", "no"},
      {R"({"error":"invalid_grant"})", "invalid_grant"},
      {R"({"errors":[]})", ""},
      {R"({"errors":[1,null,"x"]})", ""},
      {R"({"errors":"x"})", ""},
      {"Client sent an HTTP request to an HTTPS server.\n",
       "Client sent an HTTP request to an HTTPS server."},
      {"<html><body>502</body></html>", ""},
      {"", ""},
  };
  for (const auto& [body, words] : rows) {
    EXPECT_EQ(registry_words(answer(400, body)), words) << body;
  }
}

TEST(RegistryError, reads_well_in_a_terminal) {
  const Request about{"listing the tags of 'team/app'", "repository 'team/app'"};
  const std::string denied = R"({"errors":[{"code":"DENIED","message":"no access"}]})";
  EXPECT_EQ(
      to_terminal(registry_error("r.example", about, answer(403, denied))),
      "error: 'r.example' does not allow listing the tags of 'team/app'\n"
      "  it said: 'DENIED: no access' (HTTP 403)\n");
  EXPECT_EQ(
      to_terminal(registry_error("r.example", about, answer(404))),
      "error: 'r.example' does not have repository 'team/app'\n  it answered HTTP 404\n");
  EXPECT_EQ(
      to_terminal(registry_error("r.example", about, answer(503, "<html>"))),
      "error: 'r.example' has a trouble of its own with listing the tags of 'team/app'\n"
      "  it answered HTTP 503\n");
  EXPECT_EQ(
      to_terminal(registry_error(
          "r.example", about, answer(307, "", {{"Location", "https://u:p@cdn.example/x?sig=1"}}))),
      "error: 'r.example' redirects listing the tags of 'team/app' to "
      "'https://cdn.example/x?sig=***', which is not followed\n  it answered HTTP 307\n");
}

TEST(RegistryError, has_the_code_that_the_status_means) {
  const std::vector<std::pair<int, ErrorCode>> rows{
      {200, ErrorCode::corrupt_data},
      {302, ErrorCode::unsupported},
      {400, ErrorCode::upstream_denied},
      {401, ErrorCode::upstream_denied},
      {403, ErrorCode::upstream_denied},
      {404, ErrorCode::not_found},
      {413, ErrorCode::too_large},
      {429, ErrorCode::rate_limited},
      {500, ErrorCode::unavailable},
      {503, ErrorCode::unavailable},
  };
  for (const auto& [status, code] : rows) {
    EXPECT_EQ(registry_error("r", {}, answer(status)).code(), code) << status;
  }
}

TEST(Ping, knows_a_registry_by_its_answer) {
  const net::HttpHeaders version{{"Docker-Distribution-Api-Version", "registry/2.0"}};
  const net::HttpHeaders bearer{
      {"WWW-Authenticate", R"(Bearer realm="https://r/token",service="s")"}};
  const net::HttpHeaders basic{{"WWW-Authenticate", R"(Basic realm="Registry")"}};
  for (const auto& response :
       {answer(200, "{}", version),
        answer(200, "<html>", version),
        answer(200, "{}"),
        answer(200),
        answer(401, "", version),
        answer(401, "", bearer),
        answer(401, "<html>", basic),
        answer(403, "", version)}) {
    EXPECT_TRUE(judge_ping(response).is_registry) << response.status << response.body;
    EXPECT_EQ(judge_ping(response).wants_credentials, response.status == 401);
    EXPECT_EQ(judge_ping(response).evidence, "");
  }
}

TEST(Ping, tells_what_answers_when_it_is_no_registry) {
  const net::HttpHeaders html{{"Content-Type", "text/html; charset=utf-8"}};
  const net::HttpHeaders negotiate{{"WWW-Authenticate", "Negotiate"}};
  const net::HttpHeaders version{{"Docker-Distribution-Api-Version", "registry/2.0"}};
  EXPECT_EQ(
      judge_ping(answer(200, "<html>login</html>", html)).evidence,
      "HTTP 200 with a 'text/html' page");
  EXPECT_EQ(judge_ping(answer(404, "<html>", html)).evidence, "HTTP 404 with a 'text/html' page");
  EXPECT_EQ(judge_ping(answer(401, "", negotiate)).evidence, "HTTP 401");
  EXPECT_EQ(judge_ping(answer(404, "", version)).evidence, "HTTP 404");
  EXPECT_EQ(
      judge_ping(answer(302, "", {{"Location", "https://login.example/?next=1"}})).evidence,
      "HTTP 302 to 'https://login.example/?next=***'");
}

std::optional<std::string> next(const std::string& link) {
  return next_page(*net::parse_url("https://r.example:5000/"), answer(200, "", {{"Link", link}}));
}

TEST(NextPage, is_followed_on_the_registry_only) {
  EXPECT_EQ(next(R"(</v2/_catalog?last=b&n=2>; rel="next")"), "/v2/_catalog?last=b&n=2");
  EXPECT_EQ(
      next(R"(<https://r.example:5000/v2/_catalog?last=b>; rel=next)"), "/v2/_catalog?last=b");
  EXPECT_EQ(next(R"(<http://r.example/v2/x>; rel="next")"), "/v2/x");
  EXPECT_EQ(next(R"(</a>; rel="prev", </b>; rel="next")"), "/b");
  EXPECT_EQ(next(R"(</a>; rel="prev")"), std::nullopt);
  EXPECT_EQ(next("</a; rel=next"), std::nullopt);
  EXPECT_EQ(next(""), std::nullopt);
  for (const char* link :
       {R"(<https://evil.example/v2/>; rel="next")",
        R"(<//evil.example/v2/>; rel="next")",
        R"(<https://r.example:5000@evil.example/>; rel="next")",
        R"(<https://u:p@r.example:5000/>; rel="next")",
        R"(<v2/x>; rel="next")"}) {
    EXPECT_THROW(next(link), Error) << link;
  }
}

}  // namespace
}  // namespace freshet::oci
