// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/testing/run.hpp"
#include "freshet/net/testing/scripted_http.hpp"
#include "freshet/oci/distribution/client.hpp"

#include <gtest/gtest.h>

namespace freshet::oci {
namespace {

using net::testing::reply;
using net::testing::run;
using net::testing::ScriptedHttp;
using Answer = PushProbe::Answer;
using Names = std::vector<std::string>;

const net::HttpHeaders k_bearer{
    {"WWW-Authenticate", R"(Bearer realm="https://r.example/token",service="reg")"}};
const std::string k_denied = R"({"errors":[{"code":"DENIED","message":"no push for you"}]})";

template <class T>
Error failure_of(Awaitable<T> operation) {
  try {
    run(std::move(operation));
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(ErrorCode::internal, "none");
}

TEST(RegistryLists, gather_all_pages) {
  ScriptedHttp http{
      {"GET /v2/team/app/tags/list?n=1000",
       reply(
           200,
           R"({"name":"team/app","tags":["a","b"]})",
           {{"Link", R"(</v2/team/app/tags/list?last=b&n=1000>; rel="next")"}})},
      {"GET /v2/team/app/tags/list?last=b&n=1000", reply(200, R"({"tags":["c"]})")}};
  RegistryClient client(http, "r.example");

  EXPECT_EQ(run(client.list_tags(Ctx{}, "team/app")), (Names{"a", "b", "c"}));
  EXPECT_TRUE(http.finished());
}

TEST(RegistryLists, know_an_empty_list_from_a_missing_repository) {
  ScriptedHttp http{
      {"GET /v2/app/tags/list?n=1000", reply(200, R"({"name":"app","tags":null})")},
      {"GET /v2/app/tags/list?n=1000",
       reply(
           404, R"({"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known"}]})")}};
  RegistryClient client(http, "r.example");

  EXPECT_EQ(run(client.list_tags(Ctx{}, "app")), Names{});
  const Error error = failure_of(client.list_tags(Ctx{}, "app"));
  EXPECT_EQ(error.code(), ErrorCode::not_found);
  EXPECT_EQ(error.message(), "'r.example' does not have repository 'app'");
  EXPECT_EQ(error.remote_text(), "NAME_UNKNOWN: repository name not known");
}

TEST(RegistryLists, do_not_leave_the_registry_for_a_next_page) {
  ScriptedHttp http{
      {"GET /v2/app/tags/list?n=1000",
       reply(200, R"({"tags":["a"]})", {{"Link", R"(<https://evil.example/v2/>; rel="next")"}})}};
  RegistryClient client(http, "r.example");
  EXPECT_EQ(
      failure_of(client.list_tags(Ctx{}, "app")).message(),
      "'r.example' links its next page to 'https://evil.example/v2/', which is not on it");
}

TEST(RegistryLists, do_not_run_in_circles) {
  ScriptedHttp http{
      {"GET /v2/app/tags/list?n=1000",
       reply(200, R"({"tags":["a"]})", {{"Link", R"(</v2/app/tags/list?n=1000>; rel="next")"}})}};
  RegistryClient client(http, "r.example");
  EXPECT_EQ(
      failure_of(client.list_tags(Ctx{}, "app")).message(),
      "'r.example' finds no end with listing the tags of 'app'");
}

TEST(RegistryLists, refuse_names_that_could_break_out_of_a_path) {
  ScriptedHttp http{{"GET /v2/app/tags/list?n=1000", reply(200, R"({"tags":["ok","../../x"]})")}};
  RegistryClient client(http, "r.example");
  EXPECT_EQ(
      failure_of(client.list_tags(Ctx{}, "app")).message(),
      "'r.example' gave a malformed name for listing the tags of 'app': '\"../../x\"'");
}

TEST(RegistryLists, make_nothing_of_an_answer_that_is_no_list) {
  for (const char* body : {"<html>", "[]", "{}", R"({"tags":"a"})", ""}) {
    ScriptedHttp http{{"GET /v2/app/tags/list?n=1000", reply(200, body)}};
    RegistryClient client(http, "r.example");
    EXPECT_EQ(
        failure_of(client.list_tags(Ctx{}, "app")).message(),
        "'r.example' gave an answer that makes no sense for listing the tags of 'app'")
        << body;
  }
}

TEST(RegistryLists, of_repositories_ask_for_the_scope_of_the_catalogue) {
  ScriptedHttp http{
      {"GET /v2/_catalog?n=1000", reply(401, "", k_bearer)},
      {"GET https://r.example/token?service=reg&scope=registry%3Acatalog%3A%2A",
       reply(200, R"({"token":"t"})")},
      {"GET /v2/_catalog?n=1000", reply(200, R"({"repositories":["a","team/b"]})")}};
  RegistryClient client(http, "r.example");
  EXPECT_EQ(run(client.list_repositories(Ctx{})), (Names{"a", "team/b"}));
}

TEST(RegistryLists, of_repositories_say_so_when_the_registry_gives_none) {
  for (const int status : {401, 403, 404, 405}) {
    ScriptedHttp http{{"GET /v2/_catalog?n=1000", reply(status, k_denied)}};
    RegistryClient client(http, "r.example", Credentials{"bob", Secret("x")});
    const Error error = failure_of(client.list_repositories(Ctx{}));
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_EQ(error.message(), "'r.example' does not list its repositories to user 'bob'");
    EXPECT_EQ(error.hint(), "most hosted registries never do: name the repository instead");
    EXPECT_EQ(error.remote_text(), "DENIED: no push for you");
  }
}

TEST(PushProbe, begins_an_upload_and_abandons_it) {
  ScriptedHttp http{
      {"POST https://r.example/v2/team/app/blobs/uploads/",
       reply(202, "", {{"Location", "http://r.example/v2/team/app/blobs/uploads/1?_state=x"}})},
      {"DELETE https://r.example/v2/team/app/blobs/uploads/1?_state=x", reply(204)}};
  RegistryClient client(http, "r.example");
  EXPECT_EQ(run(client.can_push(Ctx{}, "team/app")).answer, Answer::yes);
  EXPECT_TRUE(http.finished());
}

TEST(PushProbe, follows_no_upload_to_another_host) {
  ScriptedHttp http{
      {"POST /v2/app/blobs/uploads/", reply(202, "", {{"Location", "https://evil.example/u/1"}})}};
  RegistryClient client(http, "r.example");
  EXPECT_EQ(run(client.can_push(Ctx{}, "app")).answer, Answer::yes);
  EXPECT_TRUE(http.finished());
}

TEST(PushProbe, does_not_mind_an_upload_that_cannot_be_abandoned) {
  ScriptedHttp http{
      {"POST /v2/app/blobs/uploads/", reply(202, "", {{"Location", "/v2/app/blobs/uploads/1"}})},
      {"DELETE /v2/app/blobs/uploads/1",
       net::testing::no_answer(net::TransportProblem::closed, "closed")}};
  RegistryClient client(http, "r.example");
  EXPECT_EQ(run(client.can_push(Ctx{}, "app")).answer, Answer::yes);
}

TEST(PushProbe, reads_every_refusal) {
  struct Row {
    int status;
    Answer answer;
    std::string reason;
  };
  for (const Row& row : std::vector<Row>{
           {401, Answer::no, "'r.example' does not allow pushing"},
           {403, Answer::no, "'r.example' does not allow pushing"},
           {405, Answer::no, "'r.example' is read-only"},
           {404, Answer::unknown, "'r.example' wants the repository to be made before a push"},
           {503, Answer::unknown, "'r.example' answered the attempt with HTTP 503"},
           {200, Answer::unknown, "'r.example' answered the attempt with HTTP 200"},
       }) {
    ScriptedHttp http{{"POST /v2/app/blobs/uploads/", reply(row.status, k_denied)}};
    RegistryClient client(http, "r.example");
    const PushProbe probe = run(client.can_push(Ctx{}, "app"));
    EXPECT_EQ(probe.answer, row.answer) << row.status;
    EXPECT_EQ(probe.reason, row.reason);
    EXPECT_EQ(probe.remote_text, "DENIED: no push for you");
  }
}

TEST(PushProbe, reads_the_refusal_of_a_token_server) {
  ScriptedHttp http{
      {"POST /v2/app/blobs/uploads/", reply(401, "", k_bearer)},
      {"GET https://r.example/token?service=reg&scope=repository%3Aapp%3Apull%2Cpush",
       reply(403, k_denied)}};
  RegistryClient client(http, "r.example", Credentials{"bob", Secret("x")});

  const PushProbe probe = run(client.can_push(Ctx{}, "app"));

  EXPECT_EQ(probe.answer, Answer::no);
  EXPECT_EQ(
      probe.reason, "'r.example' does not give user 'bob' the right to 'repository:app:pull,push'");
  EXPECT_EQ(probe.remote_text, "DENIED: no push for you");
}

}  // namespace
}  // namespace freshet::oci
