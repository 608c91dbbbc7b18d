// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/testing/scripted_http.hpp"
#include "freshet/oci/distribution/upload_journal.hpp"
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

constexpr std::size_t k_megabyte = 1'000'000;

/// Not of one byte only, so that a wrong offset shows.
std::string content_of(std::size_t size) {
  std::string content(size, '\0');
  for (std::size_t at = 0; at < size; ++at) {
    content[at] = static_cast<char>('a' + (at * 7 + at / 1000) % 26);
  }
  return content;
}

const std::string k_large = content_of(3 * k_megabyte);
const std::string k_begin = "POST /v2/app/blobs/uploads/";

std::string digest_query(const std::string& content) {
  return "digest=" + net::url_encode(Digest::of(content).to_string());
}

const std::string k_commit = "PUT /u/1?state=b&" + digest_query(k_large);
const std::string k_head = "HEAD /v2/app/blobs/" + Digest::of(k_large).to_string();

net::testing::Outcome session(std::string location = "/u/1?state=a") {
  return reply(202, "", {{"Location", std::move(location)}, {"Range", "0-0"}});
}

net::testing::Outcome has(
    std::size_t bytes, int status = 202, std::string location = "/u/1?state=b") {
  return reply(
      status, "", {{"Location", std::move(location)}, {"Range", fmt::format("0-{}", bytes - 1)}});
}

const net::testing::Outcome k_present =
    reply(200, "", {{"Content-Length", std::to_string(k_large.size())}});
const net::testing::Outcome k_lost = no_answer(TransportProblem::closed, "the connection was lost");

/// What is only known once it was read.
class UnknownBlob final : public BlobSource {
 public:
  explicit UnknownBlob(std::string bytes) : bytes_(std::move(bytes)) {}

  std::optional<Descriptor> known() const override { return std::nullopt; }
  Awaitable<std::unique_ptr<net::ByteStream>> open(Ctx, std::uint64_t offset) override {
    offsets.push_back(offset);
    co_return std::make_unique<net::testing::TextStream>(bytes_.substr(offset), 65536);
  }

  std::vector<std::uint64_t> offsets;

 private:
  std::string bytes_;
};

class BlobUploadTest : public ::testing::Test {
 protected:
  static Descriptor push(PatientClient& client, std::string content = k_large) {
    MemoryBlob blob("application/octet-stream", std::move(content));
    return run(client->push_blob(Ctx{}, "app", blob));
  }
  static Error failure(PatientClient& client, std::string content = k_large) {
    MemoryBlob blob("application/octet-stream", std::move(content));
    return failure_of(client->push_blob(Ctx{}, "app", blob));
  }
};

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

TEST_F(BlobUploadTest, goes_on_from_where_the_registry_says_it_stopped) {
  ScriptedHttp http{
      {k_begin, session()},
      {"PATCH /u/1?state=a", k_lost, k_megabyte},
      {"GET /u/1?state=a", has(900'000, 204, "/u/1?state=c")},
      {"PATCH /u/1?state=c", has(k_large.size())},
      {k_commit, reply(201)}};
  http.set_piece_bytes(65536);
  PatientClient client(http);

  push(client);

  EXPECT_EQ(http.requests()[3].headers.find("Content-Range"), "900000-2999999");
  EXPECT_EQ(http.requests()[3].body, k_large.substr(900'000));
}

TEST_F(BlobUploadTest, goes_on_with_what_is_made_while_it_is_read) {
  ScriptedHttp http{
      {k_begin, session()},
      {"PATCH /u/1?state=a", k_lost, k_megabyte},
      {"GET /u/1?state=a", has(900'000, 204, "/u/1?state=c")},
      {"PATCH /u/1?state=c", has(k_large.size())},
      {k_commit, reply(201)}};
  http.set_piece_bytes(65536);
  PatientClient client(http);
  UnknownBlob blob(k_large);

  EXPECT_EQ(run(client->push_blob(Ctx{}, "app", blob)).digest, Digest::of(k_large));

  EXPECT_EQ(blob.offsets, (std::vector<std::uint64_t>{0, 900'000}));
  EXPECT_EQ(http.requests()[3].body, k_large.substr(900'000));
}

TEST_F(BlobUploadTest, begins_anew_in_pieces_when_the_session_is_gone) {
  ScriptedHttp http{
      {k_begin, session()},
      {"PATCH /u/1?state=a", k_lost, k_megabyte},
      {"GET /u/1?state=a", reply(404)},
      {k_begin, session("/u/2")},
      {"PATCH /u/2", has(k_large.size(), 202, "/u/1?state=b")},
      {k_commit, reply(201)}};
  PatientClient client(http);
  push(client);
  EXPECT_EQ(http.requests()[4].headers.find("Content-Range"), "0-2999999");
  EXPECT_EQ(http.requests()[4].body, k_large);
}

TEST_F(BlobUploadTest, gives_up_after_attempts_without_progress) {
  ScriptedHttp http{
      {k_begin, session()},
      {"PATCH /u/1?state=a", k_lost, k_megabyte},
      {"GET /u/1?state=a", reply(503)},
      {"GET /u/1?state=a", k_lost}};
  PatientClient client(http);
  EXPECT_EQ(failure(client).message(), "the connection was lost");
  EXPECT_TRUE(http.finished());
}

TEST_F(BlobUploadTest, renews_its_token_in_the_middle_of_an_upload) {
  const net::HttpHeaders demand{
      {"WWW-Authenticate", "Bearer realm=\"https://r.example/token\",service=\"s\""}};
  const std::string token = "GET /token?service=s&scope=repository%3Aapp%3Apull%2Cpush";
  ScriptedHttp http{
      {k_begin, reply(401, "", demand)},
      {token, reply(200, R"({"token":"t1"})")},
      {k_begin, session()},
      {"PATCH /u/1?state=a", reply(401, "", demand), k_megabyte},
      {token, reply(200, R"({"token":"t2"})")},
      {"GET /u/1?state=a", has(k_megabyte, 204)},
      {"PATCH /u/1?state=b", has(k_large.size())},
      {k_commit, reply(201)}};
  http.set_piece_bytes(65536);
  PatientClient client(http);

  push(client);

  EXPECT_EQ(http.authorization(3), "Bearer t1");
  EXPECT_EQ(http.authorization(5), "Bearer t2");
  EXPECT_EQ(http.requests()[6].body, k_large.substr(k_megabyte));
}

TEST_F(BlobUploadTest, counts_a_commit_that_was_refused_or_lost_when_the_blob_is_there) {
  for (const auto& outcome :
       {reply(400, R"({"errors":[{"code":"BLOB_UPLOAD_INVALID"}]})"),
        reply(404),
        reply(504),
        k_lost}) {
    ScriptedHttp http{
        {k_begin, session()},
        {"PATCH /u/1?state=a", has(k_large.size())},
        {k_commit, outcome},
        {k_head, k_present}};
    http.set_piece_bytes(65536);
    PatientClient client(http);
    EXPECT_EQ(push(client).digest, Digest::of(k_large));
    EXPECT_TRUE(http.finished());
  }
}

TEST_F(BlobUploadTest, uploads_again_when_a_refused_commit_left_nothing) {
  ScriptedHttp http{
      {k_begin, session()},
      {"PATCH /u/1?state=a", has(k_large.size())},
      {k_commit, reply(404)},
      {k_head, reply(404)},
      {k_begin, session()},
      {"PATCH /u/1?state=a", has(k_large.size())},
      {k_commit, reply(201)}};
  http.set_piece_bytes(65536);
  PatientClient client(http);
  push(client);
  EXPECT_TRUE(http.finished());
}

TEST_F(BlobUploadTest, commits_again_what_the_session_still_has) {
  ScriptedHttp http{
      {k_begin, session()},
      {"PATCH /u/1?state=a", has(k_large.size())},
      {k_commit, reply(504)},
      {k_head, reply(404)},
      {k_head, reply(404)},
      {"GET /u/1?state=b", has(k_large.size(), 204)},
      {k_commit, reply(201)}};
  http.set_piece_bytes(65536);
  PatientClient client(http);
  push(client);
  EXPECT_TRUE(http.finished());
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

class MemoryJournal final : public UploadJournal {
 public:
  std::optional<UnfinishedUpload> find(const UploadKey&) override { return kept; }
  void remember(const UploadKey&, const UnfinishedUpload& upload) override { kept = upload; }
  void forget(const UploadKey&) override { kept.reset(); }

  std::optional<UnfinishedUpload> kept;
};

TEST_F(BlobUploadTest, goes_on_with_the_upload_of_an_earlier_run) {
  const std::string content = content_of(9 * k_megabyte);
  MemoryJournal journal;
  {
    ScriptedHttp http{
        {k_begin, session()},
        {"PATCH /u/1?state=a", k_lost, k_megabyte},
        {"GET /u/1?state=a", k_lost},
        {"GET /u/1?state=a", k_lost}};
    PatientClient client(http, nullptr, &journal);
    EXPECT_EQ(failure(client, content).message(), "the connection was lost");
    EXPECT_TRUE(http.finished());
  }
  EXPECT_EQ(journal.kept, (UnfinishedUpload{"/u/1?state=a", 0}));

  ScriptedHttp http{
      {"GET /u/1?state=a", has(k_megabyte, 204)},
      {"PATCH /u/1?state=b", has(content.size())},
      {"PUT /u/1?state=b&" + digest_query(content), reply(201)}};
  http.set_piece_bytes(65536);
  PatientClient client(http, nullptr, &journal);
  push(client, content);
  EXPECT_EQ(http.requests()[1].body, content.substr(k_megabyte));
  EXPECT_EQ(journal.kept, std::nullopt);
}

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
