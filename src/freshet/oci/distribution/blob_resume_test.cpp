// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/distribution/upload_journal.hpp"
#include "freshet/oci/testing/upload_script.hpp"

#include <gtest/gtest.h>

namespace freshet::oci {
namespace {

using net::testing::reply;
using net::testing::run;
using net::testing::ScriptedHttp;
using testing::BlobUploadTest;
using testing::content_of;
using testing::digest_query;
using testing::has;
using testing::k_begin;
using testing::k_commit;
using testing::k_head;
using testing::k_large;
using testing::k_lost;
using testing::k_megabyte;
using testing::k_present;
using testing::PatientClient;
using testing::session;
using testing::UnknownBlob;

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

TEST_F(BlobUploadTest, forgets_the_upload_of_an_earlier_run_that_turns_out_to_have_been_done) {
  MemoryJournal journal;
  journal.kept = UnfinishedUpload{"/u/1?state=a", k_large.size()};
  ScriptedHttp http{{k_head, k_present}};
  PatientClient client(http, nullptr, &journal);
  EXPECT_TRUE(run(client->find_blob(Ctx{}, "app", Digest::of(k_large))));
  EXPECT_EQ(journal.kept, std::nullopt);
}

}  // namespace
}  // namespace freshet::oci
