// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/packed_export.hpp"

#include "freshet/engine/testing/failure.hpp"
#include "freshet/engine/testing/fake_engine.hpp"
#include "freshet/engine/testing/packed_image_maker.hpp"
#include "freshet/engine/testing/run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::engine {
namespace {

using testing::collect;
using testing::collect_blobs;
using ::testing::ElementsAre;
using testing::failure_of;
using testing::FakeEngine;
using testing::PackedTestImage;
using ::testing::Pair;
using testing::ping;
using testing::reply;
using testing::run;
using testing::Scripted;

const PackedTestImage k_image({"one", "two", "one"});

/// Blobs in the order of their digests, as Docker 29 sends them, then what names them.
std::string layout_of(const std::vector<std::string>& blobs) {
  std::map<oci::Digest, std::string> sorted;
  for (const std::string& blob : blobs) {
    sorted.emplace(oci::Digest::of(blob), blob);
  }
  testing::TarMaker tar;
  tar.add("blobs/", "", '5').add("blobs/sha256/", "", '5');
  for (const auto& [digest, blob] : sorted) {
    tar.add("blobs/sha256/" + std::string(digest.hex()), blob);
  }
  return tar.add("index.json", "{}").add("manifest.json", "[]").add("oci-layout", "{}").finish();
}

struct Session {
  explicit Session(const std::vector<std::string>& archives, WantedImage wanted = k_image.wanted())
      : engine(io.get_executor(), script(archives, wanted)),
        client(io.get_executor(), engine.endpoint()),
        source(make_packed_export_source(client, pool, wanted)) {}

  static std::vector<Scripted> script(
      const std::vector<std::string>& archives, const WantedImage& wanted) {
    std::vector<Scripted> script{ping("1.55")};
    for (const std::string& archive : archives) {
      script.push_back(
          reply("GET /v1.55/images/" + wanted.target.to_string() + "/get", 200, archive));
    }
    return script;
  }

  asio::io_context io;
  asio::thread_pool pool{1};
  FakeEngine engine;
  DockerClient client;
  std::unique_ptr<oci::ImageSource> source;
};

TEST(PackedExport, gives_the_blobs_under_the_manifest_that_the_engine_has) {
  const std::string archive = layout_of(k_image.blobs());
  Session session({archive, archive});
  EXPECT_EQ(run(session.io, session.source->manifest(Ctx()))->bytes, k_image.manifest);
  EXPECT_EQ(run(session.io, session.source->config(Ctx())), k_image.config);  // no other export
  EXPECT_THAT(
      run(session.io, collect_blobs(*session.source, {0, 1, 2})),
      ElementsAre(Pair(0, k_image.packed[0]), Pair(1, k_image.packed[1])));
  EXPECT_TRUE(session.engine.is_finished());
}

TEST(PackedExport, unpacks_layers) {
  const std::string archive = layout_of(k_image.blobs());
  Session session({archive, archive});
  EXPECT_THAT(
      run(session.io, collect(*session.source, {1, 2})),
      ElementsAre(Pair(1, "two"), Pair(2, "one")));
}

TEST(PackedExport, finds_the_image_of_an_index) {
  const std::string index = k_image.index_after({"of a platform that is not here"});
  WantedImage wanted = k_image.wanted();
  wanted.target = oci::Digest::of(index);
  std::vector<std::string> blobs = k_image.blobs();
  blobs.push_back(index);
  Session session({layout_of(blobs)}, wanted);
  EXPECT_EQ(run(session.io, session.source->manifest(Ctx()))->bytes, k_image.manifest);
}

TEST(PackedExport, says_what_is_missing) {
  Session without_manifest({layout_of({k_image.config})});
  EXPECT_EQ(
      failure_of([&] { run(without_manifest.io, without_manifest.source->config(Ctx())); }),
      "corrupt_data: the engine's export of image '" + k_image.target.to_string() +
          "' lacks its manifest");

  const std::string archive = layout_of({k_image.manifest, k_image.config, k_image.packed[0]});
  Session without_layer({archive, archive});
  EXPECT_EQ(
      failure_of([&] {
        run(without_layer.io, collect_blobs(*without_layer.source, {0, 1}));
      }),
      "corrupt_data: the engine's export of image '" + k_image.target.to_string() +
          "' lacks layer '" + oci::Digest::of(k_image.packed[1]).to_string() + "'");
}

TEST(PackedExport, notices_other_bytes_than_a_name_says) {
  testing::TarMaker tar;
  tar.add("blobs/sha256/" + std::string(k_image.target.hex()), k_image.manifest);
  tar.add("blobs/sha256/" + k_image.id.substr(7), k_image.config);
  tar.add("blobs/sha256/" + std::string(oci::Digest::of(k_image.packed[1]).hex()), "other");
  const std::string archive = tar.finish();
  Session session({archive, archive});
  EXPECT_EQ(
      failure_of([&] { run(session.io, collect_blobs(*session.source, {1})); }),
      "corrupt_data: the engine's export gave layer '" + oci::Digest::of("other").to_string() +
          "' for layer '" + oci::Digest::of(k_image.packed[1]).to_string() + "'");
}

}  // namespace
}  // namespace freshet::engine
