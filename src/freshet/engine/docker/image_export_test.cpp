// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/image_export.hpp"

#include "freshet/engine/testing/failure.hpp"
#include "freshet/engine/testing/fake_engine.hpp"
#include "freshet/engine/testing/image_maker.hpp"
#include "freshet/engine/testing/run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::engine {
namespace {

using oci::Compression;
using oci::Digest;
using testing::collect;
using testing::compressed;
using ::testing::ElementsAre;
using testing::failure_of;
using testing::FakeEngine;
using ::testing::Pair;
using testing::ping;
using testing::reply;
using testing::run;
using testing::Scripted;
using testing::TarMaker;
using testing::TestImage;

const TestImage k_image({"layer one", "layer two", "layer one", "layer four"});

std::string hex(const std::string& content) {
  return std::string(Digest::of(content).hex());
}

Scripted exported(const std::string& archive) {
  return reply("GET /v1.41/images/" + k_image.id + "/get", 200, archive);
}

std::string manifest_of(const std::string& config, const std::vector<std::string>& layers) {
  std::string list;
  for (const std::string& layer : layers) {
    list += (list.empty() ? "\"" : ",\"") + layer + "\"";
  }
  return R"([{"Config":")" + config + R"(","RepoTags":null,"Layers":[)" + list + "]}]";
}

struct Session {
  explicit Session(std::vector<std::string> archives)
      : engine(io.get_executor(), script(archives)),
        client(io.get_executor(), engine.endpoint()),
        source(make_export_source(client, pool, k_image.id, k_image.diff_ids)) {}

  static std::vector<Scripted> script(const std::vector<std::string>& archives) {
    std::vector<Scripted> script{ping()};
    for (const std::string& archive : archives) {
      script.push_back(exported(archive));
    }
    return script;
  }

  auto layers(std::set<std::size_t> wanted) { return run(io, collect(*source, std::move(wanted))); }
  std::string config() { return run(io, source->config(Ctx())); }
  std::string failure(std::set<std::size_t> wanted) {
    return failure_of([&] { layers(std::move(wanted)); });
  }

  asio::io_context io;
  asio::thread_pool pool{1};
  FakeEngine engine;
  DockerClient client;
  std::unique_ptr<oci::ImageSource> source;
};

/// As engines from 25 on: blobs are named by what they are.
std::string oci_layout() {
  TarMaker tar;
  tar.add("blobs/", "", '5');
  for (const std::size_t i : {3, 1, 0}) {
    tar.add("blobs/sha256/" + hex(k_image.layers[i]), k_image.layers[i]);
  }
  tar.add("blobs/sha256/" + k_image.id.substr(7), k_image.config);
  return tar.add("index.json", "{}").add("manifest.json", "[{}]").finish();
}

TEST(ExportSource, finds_layers_by_their_names_and_the_configuration_on_its_way) {
  Session session({oci_layout()});
  EXPECT_THAT(
      session.layers({0, 1, 2, 3}),
      ElementsAre(Pair(0, "layer one"), Pair(1, "layer two"), Pair(3, "layer four")));
  EXPECT_EQ(session.config(), k_image.config);  // without another export
  EXPECT_TRUE(session.engine.is_finished());
}

TEST(ExportSource, gives_only_the_wanted_layers_and_of_equal_ones_the_first_wanted) {
  Session session({oci_layout()});
  EXPECT_THAT(session.layers({1, 2}), ElementsAre(Pair(1, "layer two"), Pair(2, "layer one")));
}

TEST(ExportSource, asks_nothing_when_nothing_is_wanted) {
  Session session({});
  EXPECT_TRUE(session.layers({}).empty());
}

TEST(ExportSource, reads_the_export_for_the_configuration_alone) {
  Session session({oci_layout()});
  EXPECT_EQ(session.config(), k_image.config);
}

/// Folders of the old layout: a `json` that tells which layer it is, and the archive.
struct Legacy {
  Legacy() {
    const std::vector<Digest> chain = chain_ids(k_image.diff_ids);
    std::string parent;
    for (std::size_t i = 0; i < chain.size(); ++i) {
      const std::string before = parent.empty() ? "" : ",\"parent\":\"sha256:" + parent + "\"";
      const std::string id =
          hex(R"({"created":"1970","layer_id":")" + chain[i].to_string() + "\"" + before + "}");
      const std::string after = parent.empty() ? "" : ",\"parent\":\"" + parent + "\"";
      jsons.push_back(R"({"id":")" + id + "\"" + after + R"(,"created":"1970","os":"linux"})");
      ids.push_back(id);
      parent = id;
    }
  }

  std::string archive(bool with_known_ids) const {
    TarMaker tar;
    for (const std::size_t i : {3, 1, 2, 0}) {
      tar.add(ids[i] + "/", "", '5');
      tar.add(ids[i] + "/VERSION", "1.0");
      tar.add(ids[i] + "/json", with_known_ids ? jsons[i] : "{}");
      if (i == 2) {  // the same as layer 0
        tar.add(ids[i] + "/layer.tar", "", '2');
      } else {
        tar.add(ids[i] + "/layer.tar", k_image.layers[i]);
      }
    }
    const std::string config = k_image.id.substr(7) + ".json";
    tar.add(config, k_image.config);
    std::vector<std::string> paths;
    for (const std::string& id : ids) {
      paths.push_back(id + "/layer.tar");
    }
    return tar.add("manifest.json", manifest_of(config, paths)).finish();
  }

  std::vector<std::string> ids;
  std::vector<std::string> jsons;
};

TEST(ExportSource, tells_the_layers_of_the_old_layout_from_their_folders) {
  Session session({Legacy().archive(true)});
  EXPECT_THAT(
      session.layers({0, 1, 2, 3}),
      ElementsAre(Pair(0, "layer one"), Pair(1, "layer two"), Pair(3, "layer four")));
  EXPECT_EQ(session.config(), k_image.config);
}

TEST(ExportSource, reads_the_export_twice_when_only_its_end_tells_which_layer_is_where) {
  const std::string archive = Legacy().archive(false);
  Session session({archive, archive});
  EXPECT_THAT(
      session.layers({0, 1, 2, 3}),
      ElementsAre(Pair(0, "layer one"), Pair(1, "layer two"), Pair(3, "layer four")));
  EXPECT_TRUE(session.engine.is_finished());
}

TEST(ExportSource, undoes_the_compression_of_blobs_and_finds_the_configuration_by_the_manifest) {
  // As engines that name an image by its manifest do it.
  const std::string one = compressed("layer one", Compression::gzip);
  const std::string two = compressed("layer two", Compression::zstd);
  const std::string four = "layer four";
  const auto blob = [](const std::string& content) { return "blobs/sha256/" + hex(content); };
  const std::string archive =
      TarMaker()
          .add(blob(four), four)
          .add(blob(two), two)
          .add(blob(one), one)
          .add(blob(k_image.config + " "), k_image.config)  // not looked at
          .add(blob(k_image.config), k_image.config)
          .add(
              "manifest.json",
              manifest_of(blob(k_image.config), {blob(one), blob(two), blob(one), blob(four)}))
          .finish();
  Session session({});
  FakeEngine engine(
      session.io.get_executor(),
      {ping(),
       reply("GET /v1.41/images/sha256:ab/get", 200, archive),
       reply("GET /v1.41/images/sha256:ab/get", 200, archive)});
  DockerClient client(session.io.get_executor(), engine.endpoint());
  const auto source = make_export_source(client, session.pool, "sha256:ab", k_image.diff_ids);
  EXPECT_THAT(
      run(session.io, collect(*source, {0, 1, 3})),
      ElementsAre(Pair(0, "layer one"), Pair(1, "layer two"), Pair(3, "layer four")));
  EXPECT_EQ(run(session.io, source->config(Ctx())), k_image.config);
}

TEST(ExportSource, says_when_a_layer_is_another_than_its_name_says) {
  Session session({TarMaker().add("blobs/sha256/" + hex("layer two"), "layer 2").finish()});
  EXPECT_EQ(
      session.failure({1}),
      "corrupt_data: the engine's export gave layer 'sha256:" + hex("layer 2") +
          "' for layer 'sha256:" + hex("layer two") + "'");
}

TEST(ExportSource, says_what_an_export_lacks) {
  const std::string without_layers =
      TarMaker().add(k_image.id.substr(7) + ".json", k_image.config).finish();
  EXPECT_EQ(
      Session({without_layers, without_layers}).failure({3}),
      "corrupt_data: the engine's export of image '" + k_image.id +
          "' lacks layer 'sha256:" + hex("layer four") + "'");
  const std::string without_config =
      TarMaker().add("blobs/sha256/" + hex("layer two"), "layer two").finish();
  EXPECT_EQ(
      Session({without_config, without_config}).failure({1}),
      "corrupt_data: the engine's export of image '" + k_image.id + "' lacks its configuration");
}

TEST(ExportSource, refuses_lying_exports) {
  const std::string config = k_image.id.substr(7) + ".json";
  EXPECT_EQ(
      Session({TarMaker().add(config, k_image.config + " ").finish()}).failure({0}),
      "corrupt_data: the engine's export has other content than '" + config + "' says");
  EXPECT_EQ(
      Session({TarMaker().add("manifest.json", manifest_of("c", {"l"})).finish()}).failure({0}),
      "corrupt_data: the engine's export has 1 layers where the image has 4");
  for (const char* manifest : {"", "[]", "{}", "[{},{}]"}) {
    EXPECT_EQ(
        Session({TarMaker().add("manifest.json", manifest).finish()}).failure({0}),
        "corrupt_data: the engine's export does not have just one image");
  }
  EXPECT_EQ(
      Session({TarMaker().add("manifest.json", std::string(5'000'000, ' ')).finish()}).failure({0}),
      "corrupt_data: the tar archive is damaged: a member has 5000000 bytes where the limit is "
      "4194304 bytes");
}

TEST(ExportSource, says_when_the_export_breaks_off) {
  Session session({});
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
  FakeEngine engine(
      session.io.get_executor(),
      {ping(),
       testing::raw("GET /v1.41/images/sha256:ab/get", {head + oci_layout().substr(0, 700)})
           .and_close()});
  DockerClient client(session.io.get_executor(), engine.endpoint());
  const auto source = make_export_source(client, session.pool, "sha256:ab", k_image.diff_ids);
  EXPECT_EQ(
      failure_of([&] { run(session.io, collect(*source, {0})); }),
      "unavailable: the Docker engine went away");
}

}  // namespace
}  // namespace freshet::engine
