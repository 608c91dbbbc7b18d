// SPDX-License-Identifier: Apache-2.0
// What the client asks about images, and how it gives the engine some.
#include "freshet/engine/docker/tar_stream.hpp"
#include "freshet/engine/testing/client_session.hpp"
#include "freshet/engine/testing/failure.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace std::string_literals;

namespace freshet::engine {
namespace {

using testing::failure_of;
using testing::ping;
using testing::reply;
using testing::run;
using Session = testing::ClientSession;

TEST(Images, are_found_or_absent) {
  Session session(
      {ping(),
       reply(
           "GET /v1.41/images/r.example:5000/a/b:v1/json",
           200,
           R"({"Id":"sha256:1","RepoTags":["a:1"],
         "RepoDigests":[],"Size":5,"Os":"linux","Architecture":"amd64",
         "RootFS":{"Type":"layers","Layers":["sha256:l1","sha256:l2"]},
         "Config":{"WorkingDir":"/w","Env":["A=1"],"Entrypoint":null,"Cmd":["sh"]}})"),
       reply("GET /v1.41/images/nope/json", 404, R"({"message":"No such image: nope"})")});
  const auto image = run(session.io, session.client.find_image(Ctx(), "r.example:5000/a/b:v1"));
  ASSERT_TRUE(image);
  EXPECT_EQ(image->id, "sha256:1");
  EXPECT_EQ(image->diff_ids, (std::vector<std::string>{"sha256:l1", "sha256:l2"}));
  EXPECT_EQ(image->entry_point, std::vector<std::string>());
  EXPECT_EQ(image->command, std::vector<std::string>{"sh"});
  EXPECT_EQ(image->working_directory, "/w");
  EXPECT_FALSE(run(session.io, session.client.find_image(Ctx(), "nope")));
}

TEST(Images, history_begins_with_the_oldest) {
  Session session(
      {ping(),
       reply(
           "GET /v1.41/images/a/history",
           200,
           R"([{"CreatedBy":"CMD","Size":0},{"CreatedBy":"ADD","Size":7}])")});
  const auto history = run(session.io, session.client.image_history(Ctx(), "a"));
  ASSERT_EQ(history.size(), 2U);
  EXPECT_EQ(history[0].created_by, "ADD");
  EXPECT_EQ(history[0].size_bytes, 7U);
}

TEST(ImportImage, sends_the_archive_as_it_is) {
  Session session(
      {ping(),
       reply(
           "POST /v1.41/images/create?fromSrc=-&repo=tool&tag=1&changes=LABEL%20a%3Db&changes="
           "USER%200",
           200,
           R"({"status":"sha256:1"})")});
  run(session.io,
      session.client.import_image(Ctx(), "tar\0bytes"s, "tool", "1", {"LABEL a=b", "USER 0"}));
  EXPECT_THAT(
      session.engine.messages().back(),
      ::testing::HasSubstr("\r\nContent-Type: application/x-tar\r\nContent-Length: 9\r\n\r\n"
                           "tar\0bytes"s));
}

TEST(ImportImage, says_what_the_engine_said_after_it_had_begun) {
  Session session(
      {ping(),
       reply(
           "POST /v1.41/images/create?fromSrc=-&repo=tool&tag=1",
           200,
           R"({"errorDetail":{"message":"unexpected EOF"},"error":"unexpected EOF"})")});
  EXPECT_EQ(
      failure_of(
          [&] { run(session.io, session.client.import_image(Ctx(), "tar", "tool", "1", {})); }),
      "upstream_denied: the Docker engine could not import image 'tool:1' | said: unexpected EOF");
}

TEST(Load, sends_the_archive_as_it_is_read_and_hears_the_engine_s_verdict) {
  const std::string target = "POST /v1.41/images/load?quiet=1";
  Session session(
      {ping(),
       reply(target, 200, R"({"stream":"Loaded image: a:1\n"})"),
       reply(target, 200, R"({"errorDetail":{},"error":"invalid diffID for layer 0"})")});
  const auto load = [&] {
    TarStream archive({make_tar_member("manifest.json", "[]")});
    run(session.io, session.client.load_images(Ctx(), archive, archive.size_bytes()));
  };

  load();

  const std::string& message = session.engine.messages().back();
  EXPECT_THAT(message, ::testing::HasSubstr("\r\nContent-Type: application/x-tar\r\n"));
  EXPECT_THAT(message, ::testing::HasSubstr("\r\nContent-Length: 2048\r\n"));
  EXPECT_EQ(message.substr(message.find("\r\n\r\n") + 4).size(), 2048U);
  EXPECT_EQ(
      failure_of(load),
      "upstream_denied: the Docker engine could not load an image | said: invalid diffID for layer "
      "0");
}

}  // namespace
}  // namespace freshet::engine
