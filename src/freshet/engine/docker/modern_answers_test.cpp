// SPDX-License-Identifier: Apache-2.0
// Answers as Docker 29.7 gives them with containerd's image store.
#include "freshet/engine/docker/client.hpp"
#include "freshet/engine/testing/failure.hpp"
#include "freshet/engine/testing/fake_engine.hpp"
#include "freshet/engine/testing/run.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::engine {
namespace {

using testing::chunked;
using ::testing::ElementsAre;
using testing::failure_of;
using testing::FakeEngine;
using ::testing::IsEmpty;
using testing::ping;
using testing::reply;
using testing::run;
using testing::Scripted;

constexpr std::string_view k_digest =
    "sha256:aa53d153d6afd524f30baef13865cbcd7990f0f4883e09cb2c781c713247a614";

struct Session {
  explicit Session(std::vector<Scripted> script)
      : engine(io.get_executor(), std::move(script)),
        client(io.get_executor(), engine.endpoint()) {}

  PushedImage push() {
    const RegistryAuth auth{"r.example:5000", "robot", Secret("hunter2")};
    return run(io, client.push_image(Ctx(), "r.example:5000/app", "v1", auth, nullptr));
  }
  std::string failure_to_pull(std::optional<RegistryAuth> auth) {
    return failure_of(
        [&] { run(io, client.pull_image(Ctx(), "r.example:5000/app:1", auth, nullptr)); });
  }

  asio::io_context io;
  FakeEngine engine;
  DockerClient client;
};

Scripted inspection(const std::string& version, const std::string& members) {
  return reply(
      "GET /v" + version + "/images/app:1/json",
      200,
      fmt::format(
          R"({{"Id":"{0}","RepoTags":["app:1","r.example:5000/team/app:v1"],)"
          R"("RepoDigests":["app@{0}","r.example:5000/team/app@{0}"],"Config":{{}}{1}}})",
          k_digest,
          members));
}

std::string descriptor() {
  return fmt::format(
      R"(,"Descriptor":{{"mediaType":"application/vnd.oci.image.manifest.v1+json",)"
      R"("digest":"{}","size":855}})",
      k_digest);
}

ImageDetails found(const std::string& version, const std::string& members) {
  Session session({ping(version), inspection(version, members)});
  return run(session.io, session.client.find_image(Ctx(), "app:1")).value();
}

TEST(ModernImage, has_the_digests_under_which_it_was_exchanged_with_a_registry) {
  const ImageDetails built = found(
      "1.55", descriptor() + R"(,"Identity":{"Build":[{"Ref":"bvbotc0c5d7lra3klzbdkxkd3"}]})");
  EXPECT_TRUE(built.is_named_by_manifest);
  EXPECT_THAT(built.repo_digests, IsEmpty());

  // The engine leaves out the port.
  const ImageDetails pushed =
      found("1.55", descriptor() + R"(,"Identity":{"Pull":[{"Repository":"r.example/team/app"}]})");
  EXPECT_THAT(pushed.repo_digests, ElementsAre("r.example:5000/team/app@" + std::string(k_digest)));

  const ImageDetails pulled = found(
      "1.55", descriptor() + R"(,"Identity":{"Pull":[{"Repository":"docker.io/library/app"}]})");
  EXPECT_THAT(pulled.repo_digests, ElementsAre("app@" + std::string(k_digest)));
}

TEST(ModernImage, has_all_its_digests_where_the_engine_cannot_tell_them_apart) {
  const ImageDetails image = found("1.48", descriptor());
  EXPECT_TRUE(image.is_named_by_manifest);
  EXPECT_THAT(image.repo_digests, ::testing::SizeIs(2));
}

TEST(ModernImage, is_told_by_its_names_alone_before_there_are_descriptors) {
  EXPECT_TRUE(found("1.47", "").is_named_by_manifest);
}

TEST(ModernImage, is_found_by_its_configuration_where_buildkit_noted_that) {
  Session session(
      {ping("1.55"),
       reply(
           "GET /v1.55/images/json?all=1",
           200,
           R"([{"Id":"sha256:1","Descriptor":{"digest":"sha256:1"}},)"
           R"({"Id":"sha256:2","Descriptor":{"annotations":{"config.digest":"sha256:c"}}},)"
           R"({"Id":"sha256:3","Descriptor":{"annotations":{"config.digest":"sha256:d"}}}])")});
  EXPECT_THAT(
      run(session.io, session.client.list_images_of(Ctx(), "sha256:c")), ElementsAre("sha256:2"));
}

TEST(ModernEngine, says_that_containerd_keeps_its_images) {
  const auto has_store = [](const std::string& status) {
    Session session(
        {ping("1.55"), reply("GET /v1.55/info", 200, R"({"DriverStatus":)" + status + "}")});
    return run(session.io, session.client.info(Ctx())).has_containerd_store;
  };
  EXPECT_TRUE(has_store(R"([["driver-type","io.containerd.snapshotter.v1"]])"));
  EXPECT_FALSE(has_store(R"([["Backing Filesystem","extfs"],["userxattr","false"]])"));
  EXPECT_FALSE(has_store("null"));
}

TEST(ModernPush, ends_with_a_line_that_tells_the_digest) {
  Session session(
      {ping("1.55"),
       chunked(
           "POST /v1.55/images/r.example:5000/app/push?tag=v1",
           {R"({"status":"The push refers to repository [r.example:5000/app]"}
               {"status":"Pushed","progressDetail":{},"id":"007bbf2d2f4f"})",
            fmt::format(R"({{"status":"v1: digest: {} size: 855"}})", k_digest)})});
  const PushedImage pushed = session.push();
  EXPECT_EQ(pushed.digest, k_digest);
  EXPECT_EQ(pushed.manifest_size_bytes, 855U);
}

TEST(ModernPush, tells_the_index_of_which_it_pushed_one_manifest) {
  Session session(
      {ping("1.55"),
       chunked(
           "POST /v1.55/images/r.example:5000/app/push?tag=v1",
           {R"({"aux":{"manifestPushedInsteadOfIndex":true,"originalIndex":{"digest":"sha256:1"},)"
            R"("selectedManifest":{"digest":"sha256:2"}}})",
            fmt::format(R"({{"status":"v1: digest: {} size: 855"}})", k_digest)})});
  const PushedImage pushed = session.push();
  EXPECT_EQ(pushed.digest, k_digest);
  EXPECT_EQ(pushed.index_digest, "sha256:1");
}

TEST(ModernPush, takes_no_layers_word_for_the_digest) {
  Session session(
      {ping("1.55"),
       chunked(
           "POST /v1.55/images/r.example:5000/app/push?tag=v1",
           {fmt::format(R"({{"status":"v1: digest: {} size: 855","id":"1"}})", k_digest)})});
  EXPECT_EQ(
      failure_of([&] { session.push(); }),
      "corrupt_data: the Docker engine did not say under which digest it pushed "
      "'r.example:5000/app:v1'");
}

TEST(ModernPush, says_who_refused) {
  const std::string request = "POST /v1.55/images/r.example:5000/app/push?tag=v1";
  const auto failure = [&](const std::string& text) {
    Session session(
        {ping("1.55"), chunked(request, {R"({"errorDetail":{"message":")" + text + "\"}}"})});
    const std::string told = failure_of([&] { session.push(); });
    return told.substr(0, told.find(" | "));
  };
  const std::string blob = "request to http://r.example:5000/v2/app/blobs/uploads/: ";
  EXPECT_EQ(
      failure("unknown: unexpected status from POST " + blob + "401 Unauthorized"),
      "upstream_denied: r.example:5000 refused the credentials for 'r.example:5000/app:v1'");
  EXPECT_EQ(
      failure("unknown: unexpected status from POST " + blob + "500 Internal Server Error"),
      "unavailable: r.example:5000 could not store 'r.example:5000/app:v1'");
  EXPECT_EQ(
      failure("tag does not exist: r.example:5000/app:v1"),
      "not_found: the Docker engine has no image 'r.example:5000/app:v1'");
}

TEST(ModernPull, says_who_refused) {
  const auto failure = [&](unsigned status, const std::string& text, bool has_login) {
    Session session(
        {ping("1.55"),
         reply(
             "POST /v1.55/images/create?fromImage=r.example%3A5000%2Fapp%3A1",
             status,
             R"({"message":"failed to resolve reference \"r.example:5000/app:1\": )" + text +
                 "\"}")});
    std::optional<RegistryAuth> auth;
    if (has_login) {
      auth = RegistryAuth{"r.example:5000", "robot", Secret("hunter2")};
    }
    const std::string told = session.failure_to_pull(auth);
    return told.substr(0, told.find(" | "));
  };
  EXPECT_EQ(
      failure(404, "r.example:5000/app:1: not found", true),
      "not_found: r.example:5000 has no 'r.example:5000/app:1'");
  EXPECT_EQ(
      failure(
          404,
          "pull access denied, repository does not exist or may require authorization: "
          "authorization failed: no basic auth credentials",
          false),
      "upstream_denied: r.example:5000 wants credentials for 'r.example:5000/app:1', and there are "
      "none");
  EXPECT_EQ(
      failure(
          500,
          "unexpected status from HEAD request to http://r.example:5000/v2/app/manifests/1: "
          "401 Unauthorized",
          true),
      "upstream_denied: r.example:5000 refused the credentials for 'r.example:5000/app:1'");
}

}  // namespace
}  // namespace freshet::engine
