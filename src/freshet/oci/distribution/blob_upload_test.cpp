// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/testing/upload_script.hpp"

#include <gtest/gtest.h>

namespace freshet::oci {
namespace {

using net::TransportProblem;
using net::testing::reply;
using net::testing::run;
using net::testing::ScriptedHttp;
using testing::BlobUploadTest;
using testing::content_of;
using testing::digest_query;
using testing::failure_of;
using testing::has;
using testing::k_begin;
using testing::k_commit;
using testing::k_large;
using testing::k_megabyte;
using testing::PatientClient;
using testing::session;
using testing::UnknownBlob;

TEST_F(BlobUploadTest, sends_a_small_blob_along_with_its_commit) {
  ScriptedHttp http{
      {k_begin, session()}, {"PUT /u/1?state=a&" + digest_query("small"), reply(201)}};
  PatientClient client(http);
  EXPECT_EQ(push(client, "small").digest, Digest::of("small"));
  EXPECT_EQ(http.requests()[1].body, "small");
}

TEST_F(BlobUploadTest, sends_nothing_at_all_as_well) {
  ScriptedHttp http{{k_begin, session()}, {"PUT /u/1?state=a&" + digest_query(""), reply(201)}};
  PatientClient client(http);
  EXPECT_EQ(push(client, "").size_bytes, 0U);
}

TEST_F(BlobUploadTest, streams_a_large_blob_in_one_request) {
  ScriptedHttp http{
      {k_begin, session()},
      {"PATCH /u/1?state=a", has(k_large.size())},
      {k_commit, reply(201, "", {{"Docker-Content-Digest", Digest::of(k_large).to_string()}})}};
  http.set_piece_bytes(65536);
  PatientClient client(http);

  const Descriptor pushed = push(client);

  EXPECT_EQ(pushed, (Descriptor{"application/octet-stream", Digest::of(k_large), k_large.size()}));
  EXPECT_EQ(http.requests()[1].body, k_large);
  EXPECT_EQ(http.requests()[1].body_stream_length, k_large.size());
  EXPECT_FALSE(http.requests()[1].headers.find("Content-Range"));
}

TEST_F(BlobUploadTest, learns_what_it_sent_while_it_sends_it) {
  ScriptedHttp http{
      {k_begin, session()}, {"PATCH /u/1?state=a", has(k_large.size())}, {k_commit, reply(201)}};
  http.set_piece_bytes(65536);
  PatientClient client(http);
  UnknownBlob blob(k_large);

  const Descriptor pushed = run(client->push_blob(Ctx{}, "app", blob));

  EXPECT_EQ(pushed.digest, Digest::of(k_large));
  EXPECT_EQ(pushed.size_bytes, k_large.size());
  EXPECT_EQ(http.requests()[1].body_stream_length, std::nullopt);
}

TEST_F(BlobUploadTest, says_at_once_what_a_registry_will_never_take) {
  ScriptedHttp http{
      {k_begin, session()},
      {"PATCH /u/1?state=a", reply(413, "<html>"), k_megabyte},
      {"DELETE /u/1?state=a", reply(204)}};
  PatientClient client(http);
  const Error error = failure(client);
  EXPECT_EQ(error.code(), ErrorCode::too_large);
  EXPECT_EQ(
      error.message(),
      "'r.example' refused the upload of a blob to 'app@" + Digest::of(k_large).to_string() + "'");
  EXPECT_EQ(
      error.hint(),
      "the registry, or a proxy before it, limits the size of a request: raise that limit (nginx: "
      "client_max_body_size)");
  EXPECT_TRUE(client.rests().empty());
}

TEST_F(BlobUploadTest, quotes_a_registry_that_wants_the_repository_made_first) {
  ScriptedHttp http{
      {k_begin, reply(404, R"({"errors":[{"code":"NAME_UNKNOWN","message":"make it first"}]})")}};
  PatientClient client(http);
  const Error error = failure(client);
  EXPECT_EQ(error.message(), "'r.example' does not have repository 'app'");
  EXPECT_EQ(error.remote_text(), "NAME_UNKNOWN: make it first");
}

TEST_F(BlobUploadTest, sends_nothing_to_another_host) {
  ScriptedHttp http{{k_begin, session("https://evil.example/u/1")}};
  PatientClient client(http);
  const Error error = failure(client);
  EXPECT_EQ(error.code(), ErrorCode::upstream_denied);
  EXPECT_EQ(
      error.message(), "'r.example' wants an upload sent to 'evil.example', which is another host");
}

TEST_F(BlobUploadTest, follows_each_honest_way_of_writing_a_location) {
  const std::string put = digest_query("x");
  for (const auto& [location, target] : std::vector<std::pair<std::string, std::string>>{
           {"/v2/app/blobs/uploads/7?_state=q", "/v2/app/blobs/uploads/7?_state=q&" + put},
           {"https://r.example/u/7", "/u/7?" + put},
           {"http://r.example:5000/u/7", "/u/7?" + put},  // a registry behind a proxy
           {"7", "/v2/app/blobs/uploads/7?" + put},
           {"?id=7", "/v2/app/blobs/uploads/?id=7&" + put}}) {
    ScriptedHttp http{{k_begin, session(location)}, {"PUT https://r.example" + target, reply(201)}};
    PatientClient client(http);
    push(client, "x");
    EXPECT_TRUE(http.finished()) << location;
  }
}

TEST_F(BlobUploadTest, falls_back_to_one_request_where_parts_are_not_taken) {
  ScriptedHttp http{
      {k_begin, session()},
      {"PATCH /u/1?state=a", reply(405), 0},
      {k_begin, session()},
      {"PUT /u/1?state=a&" + digest_query(k_large), reply(201)}};
  http.set_piece_bytes(65536);
  PatientClient client(http);
  push(client);
  EXPECT_EQ(http.requests()[3].body, k_large);
  EXPECT_EQ(http.requests()[3].body_stream_length, k_large.size());
}

TEST_F(BlobUploadTest, falls_back_to_pieces_of_known_length_where_the_length_is_demanded) {
  const std::string content = content_of(17 * k_megabyte);
  const std::size_t piece = 16UL * 1024 * 1024;
  ScriptedHttp http{
      {k_begin, session()},
      {"PATCH /u/1?state=a", reply(411), 0},
      {k_begin, session()},
      {"PATCH /u/1?state=a", has(piece)},
      {"PATCH /u/1?state=b", has(content.size())},
      {"PUT /u/1?state=b&" + digest_query(content), reply(201)}};
  PatientClient client(http);
  UnknownBlob blob(content);

  EXPECT_EQ(run(client->push_blob(Ctx{}, "app", blob)).digest, Digest::of(content));

  EXPECT_EQ(http.requests()[3].headers.find("Content-Range"), "0-16777215");
  EXPECT_EQ(http.requests()[4].headers.find("Content-Range"), "16777216-16999999");
}

TEST_F(BlobUploadTest, keeps_the_cookies_of_its_session_and_sends_them_nowhere_else) {
  ScriptedHttp http{
      {k_begin, reply(202, "", {{"Location", "/u/1"}, {"Set-Cookie", "node=7; Path=/; HttpOnly"}})},
      {"PUT /u/1?" + digest_query("x"), reply(201)},
      {k_begin, session()},
      {"PUT /u/1?state=a&" + digest_query("y"), reply(201)}};
  PatientClient client(http);
  push(client, "x");
  push(client, "y");
  EXPECT_EQ(http.requests()[1].headers.find("Cookie"), "node=7");
  EXPECT_FALSE(http.requests()[2].headers.find("Cookie"));
  EXPECT_FALSE(http.requests()[3].headers.find("Cookie"));
}

/// Ends early, or breaks in a way of its own.
class FaultyBlob final : public BlobSource {
 public:
  std::optional<Descriptor> known() const override {
    return Descriptor{"", Digest::of(k_large), k_large.size()};
  }
  Awaitable<std::unique_ptr<net::ByteStream>> open(Ctx, std::uint64_t) override {
    std::optional<net::TransportError> failure;
    if (breaks) {
      failure =
          net::TransportError(TransportProblem::closed, ErrorCode::unavailable, "source gone");
    }
    co_return std::make_unique<net::testing::TextStream>("short", 1000, failure);
  }

  bool breaks = false;
};

TEST_F(BlobUploadTest, abandons_the_upload_when_its_source_fails) {
  for (const bool breaks : {false, true}) {
    ScriptedHttp http{
        {k_begin, session()}, {"PATCH /u/1?state=a", has(5)}, {"DELETE /u/1?state=a", reply(204)}};
    PatientClient client(http);
    FaultyBlob blob;
    blob.breaks = breaks;
    EXPECT_EQ(
        failure_of(client->push_blob(Ctx{}, "app", blob)).message(),
        breaks ? "source gone"
               : "the blob to upload has less than the 3000000 bytes that it should have");
    EXPECT_TRUE(http.finished());
  }
}

/// Never answers a PATCH.
class SilentHttp final : public net::HttpClient {
 public:
  Awaitable<net::HttpResponse> send(Ctx, net::HttpRequest request) override {
    methods.push_back(request.method);
    net::HttpResponse response;
    response.status = 202;
    response.headers.add("Location", "/u/1");
    if (request.method == "PATCH") {
      co_await sleep_for(std::chrono::hours(1));
    }
    co_return response;
  }
  Awaitable<std::unique_ptr<net::HttpStream>> open(Ctx, net::HttpRequest) override {
    throw Error(ErrorCode::internal, "not expected");
  }

  std::vector<std::string> methods;
};

TEST_F(BlobUploadTest, deletes_the_upload_when_it_is_cancelled) {
  SilentHttp http;
  PatientClient client(http);
  MemoryBlob blob("", k_large);
  const Ctx soon = Ctx{}.within(std::chrono::milliseconds(20));
  auto pushing = client->push_blob(Ctx{}, "app", blob);
  EXPECT_EQ(
      failure_of(with_deadline(soon, "waiting for the upload", std::move(pushing))).message(),
      "waiting for the upload took too long");
  EXPECT_EQ(http.methods, (std::vector<std::string>{"POST", "PATCH", "DELETE"}));
}

}  // namespace
}  // namespace freshet::oci
