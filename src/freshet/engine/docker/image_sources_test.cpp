// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/image_sources.hpp"

#include "freshet/engine/testing/failure.hpp"
#include "freshet/engine/testing/fake_engine.hpp"
#include "freshet/engine/testing/packed_image_maker.hpp"
#include "freshet/engine/testing/run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace freshet::engine {
namespace {

using oci::testing::MemoryStream;
using testing::collect;
using ::testing::ElementsAre;
using testing::failure_of;
using testing::FakeEngine;
using ::testing::Pair;
using testing::ping;
using testing::reply;
using testing::run;
using testing::store;
using testing::TestImage;

const TestImage k_image({"one", "two", "one", "four"});

/// Gives layers as `<name>:<content>`; can fail in the middle of one, or before it.
class FakeSource : public oci::ImageSource {
 public:
  explicit FakeSource(std::string name) : name_(std::move(name)) {}

  const std::vector<oci::Digest>& diff_ids() const override { return k_image.diff_ids; }
  std::string_view name() const override { return name_; }
  Awaitable<std::string> config(Ctx) override { co_return name_ + "'s config"; }
  Awaitable<void> visit_layers(Ctx, std::set<std::size_t> wanted, Visitor visit) override {
    for (const auto& [digest, index] : first_of_equal(diff_ids(), wanted)) {
      order.push_back(index);
    }
    std::sort(order.begin(), order.end());
    for (const std::size_t index : order) {
      if (index == fails_before) {
        throw failure();
      }
      const std::string content = name_ + ":" + k_image.layers[index];
      std::unique_ptr<net::ByteStream> tar = index == fails_in
                                                 ? MemoryStream::failing(content, failure())
                                                 : oci::testing::stream_of(content);
      co_await visit(index, std::move(tar));
    }
  }

  static Error failure() { return Error(ErrorCode::corrupt_data, "the storage is broken"); }

  std::optional<std::size_t> fails_in;
  std::optional<std::size_t> fails_before;
  std::vector<std::size_t> order;

 private:
  const std::string name_;
};

struct Pairing {
  Pairing() {
    auto one = std::make_unique<FakeSource>("first");
    auto other = std::make_unique<FakeSource>("second");
    first = one.get();
    second = other.get();
    source = make_fallback_source(std::move(one), std::move(other));
  }

  asio::io_context io;
  FakeSource* first;  // gone once it has failed
  FakeSource* second;
  std::unique_ptr<oci::ImageSource> source;
};

TEST(FallbackSource, leaves_the_second_alone_while_the_first_works) {
  Pairing pair;
  EXPECT_THAT(
      run(pair.io, collect(*pair.source, {0, 1, 3})),
      ElementsAre(Pair(0, "first:one"), Pair(1, "first:two"), Pair(3, "first:four")));
  EXPECT_EQ(pair.source->name(), "first");
  EXPECT_TRUE(pair.second->order.empty());
}

TEST(FallbackSource, takes_from_the_second_what_the_first_has_not_given) {
  for (const bool in_the_middle : {true, false}) {
    Pairing pair;
    (in_the_middle ? pair.first->fails_in : pair.first->fails_before) = 1;
    EXPECT_THAT(
        run(pair.io, collect(*pair.source, {0, 1, 2, 3})),
        ElementsAre(Pair(0, "first:one"), Pair(1, "second:two"), Pair(3, "second:four")));
    EXPECT_THAT(pair.second->order, ElementsAre(1, 3));  // not 2, which is the same as 0
    EXPECT_EQ(pair.source->name(), "second");
    EXPECT_EQ(run(pair.io, pair.source->config(Ctx())), "first's config");
  }
}

TEST(FallbackSource, does_not_mistake_the_visitors_failure_for_the_sources) {
  Pairing pair;
  const oci::ImageSource::Visitor refuse = [](std::size_t,
                                              std::unique_ptr<net::ByteStream>) -> Awaitable<void> {
    throw Error(ErrorCode::unavailable, "the registry is down");
  };
  EXPECT_EQ(
      failure_of([&] { run(pair.io, pair.source->visit_layers(Ctx(), {0}, refuse)); }),
      "unavailable: the registry is down");
  EXPECT_TRUE(pair.second->order.empty());
}

TEST(FallbackSource, throws_what_the_second_throws) {
  Pairing pair;
  pair.first->fails_in = 0;
  pair.second->fails_in = 0;
  EXPECT_EQ(
      failure_of([&] { run(pair.io, collect(*pair.source, {0})); }),
      "corrupt_data: the storage is broken");
}

class MakeImageSource : public ::testing::Test {
 protected:
  /// The source for the image, as an engine with this description has it.
  std::unique_ptr<oci::ImageSource> make(
      const std::string& driver,
      const std::string& root,
      std::vector<testing::Scripted> more = {}) {
    std::vector<testing::Scripted> script{
        ping(),
        reply("GET /v1.41/images/app:1/json", 200, k_image.inspection),
        reply(
            "GET /v1.41/info",
            200,
            R"({"Driver":")" + driver + R"(","DockerRootDir":")" + root + "\"}")};
    for (testing::Scripted& answer : more) {
      script.push_back(std::move(answer));
    }
    engine.emplace(io.get_executor(), std::move(script));
    client.emplace(io.get_executor(), engine->endpoint());
    return run(io, make_image_source(Ctx(), *client, pool, "app:1"));
  }

  asio::io_context io;
  asio::thread_pool pool{1};
  TempTree tree;
  std::optional<FakeEngine> engine;
  std::optional<DockerClient> client;
};

TEST_F(MakeImageSource, reads_the_storage_when_it_is_there) {
  store(tree, k_image);
  const auto source = make("overlay2", tree.path().string());
  EXPECT_EQ(source->name(), "storage of the engine");
  EXPECT_EQ(run(io, source->config(Ctx())), k_image.config);
  EXPECT_THAT(
      run(io, collect(*source, {0, 1, 2, 3})),
      ElementsAre(Pair(0, "one"), Pair(1, "two"), Pair(3, "four")));
}

TEST_F(MakeImageSource, exports_when_the_storage_is_of_another_kind_or_elsewhere) {
  store(tree, k_image);
  EXPECT_EQ(make("vfs", tree.path().string())->name(), "export by the engine");
  EXPECT_EQ(make("overlay2", "/nonexistent")->name(), "export by the engine");
  EXPECT_EQ(make("overlay2", "")->name(), "export by the engine");
}

TEST_F(MakeImageSource, exports_the_rest_when_a_file_in_the_storage_has_changed) {
  store(tree, k_image);
  tree.file("overlay2/layer1/diff/dir/content", "XX");
  const std::string archive =
      testing::TarMaker()
          .add("blobs/sha256/" + std::string(k_image.diff_ids[0].hex()), "one")
          .add("blobs/sha256/" + std::string(k_image.diff_ids[1].hex()), "two")
          .add("blobs/sha256/" + std::string(k_image.diff_ids[3].hex()), "four")
          .add("blobs/sha256/" + k_image.id.substr(7), k_image.config)
          .finish();
  const auto source = make(
      "overlay2",
      tree.path().string(),
      {reply("GET /v1.41/images/" + k_image.id + "/get", 200, archive)});
  EXPECT_THAT(
      run(io, collect(*source, {0, 1, 3})),
      ElementsAre(Pair(0, "one"), Pair(1, "two"), Pair(3, "four")));
  EXPECT_EQ(source->name(), "export by the engine");
}

class MakePackedImageSource : public MakeImageSource {
 protected:
  /// The source for the image, as Docker 29 has it.
  std::unique_ptr<oci::ImageSource> make_packed(std::vector<testing::Scripted> more = {}) {
    std::vector<testing::Scripted> script{
        ping("1.55"),
        reply("GET /v1.55/images/app:1/json", 200, k_packed.inspection),
        reply(
            "GET /v1.55/info",
            200,
            R"({"Driver":"overlayfs","DriverStatus":[["driver-type",)"
            R"("io.containerd.snapshotter.v1"]],"DockerRootDir":")" +
                tree.path().string() + "\"}")};
    std::ranges::move(more, std::back_inserter(script));
    engine.emplace(io.get_executor(), std::move(script));
    client.emplace(io.get_executor(), engine->endpoint());
    return run(io, make_image_source(Ctx(), *client, pool, "app:1"));
  }

  const testing::PackedTestImage k_packed{{"one", "two"}};
};

TEST_F(MakePackedImageSource, reads_the_content_store_when_it_is_there) {
  testing::store_blobs(tree, k_packed.blobs());
  const auto source = make_packed();
  EXPECT_EQ(source->name(), "storage of the engine");
  EXPECT_EQ(run(io, source->manifest(Ctx()))->bytes, k_packed.manifest);
  EXPECT_THAT(
      run(io, testing::collect_blobs(*source, {0, 1})),
      ElementsAre(Pair(0, k_packed.packed[0]), Pair(1, k_packed.packed[1])));
}

TEST_F(MakePackedImageSource, exports_when_the_store_is_elsewhere_or_a_blob_has_changed) {
  testing::TarMaker tar;
  for (const std::string& blob : k_packed.blobs()) {
    tar.add("blobs/sha256/" + std::string(oci::Digest::of(blob).hex()), blob);
  }
  const std::string get = "GET /v1.55/images/" + k_packed.target.to_string() + "/get";
  const std::vector<testing::Scripted> exports{
      reply(get, 200, tar.finish()), reply(get, 200, tar.finish())};
  EXPECT_EQ(make_packed()->name(), "export by the engine");

  testing::store_blobs(tree, k_packed.blobs());
  const auto source = make_packed(exports);
  tree.file(testing::blob_path(k_packed.packed[1]), std::string(k_packed.packed[1].size(), 'x'));
  EXPECT_THAT(
      run(io, testing::collect_blobs(*source, {0, 1})),
      ElementsAre(Pair(0, k_packed.packed[0]), Pair(1, k_packed.packed[1])));
  EXPECT_EQ(source->name(), "export by the engine");
}

TEST_F(MakePackedImageSource, tells_the_configurations_digest_apart_from_the_id) {
  testing::store_blobs(tree, k_packed.blobs());
  make_packed(
      {reply("GET /v1.55/images/app:1/json", 200, k_packed.inspection),
       reply("GET /v1.55/images/app:1/json", 200, k_packed.inspection),
       reply("GET /v1.55/info", 200, R"({"DockerRootDir":")" + tree.path().string() + "\"}")});
  EXPECT_EQ(run(io, find_config_digest(Ctx(), *client, pool, "app:1")), k_packed.id);
}

TEST_F(MakePackedImageSource, is_found_by_its_configuration_and_nothing_else_that_claims_it) {
  testing::store_blobs(tree, k_packed.blobs());
  const testing::PackedTestImage liar({"other"});
  testing::store_blobs(tree, liar.blobs());
  const auto listed = [&](const testing::PackedTestImage& image) {
    return R"({"Id":")" + image.target.to_string() +
           R"(","Descriptor":{"annotations":{"config.digest":")" + k_packed.id + R"("}}})";
  };
  const std::string info = R"({"DockerRootDir":")" + tree.path().string() + "\"}";
  std::vector<testing::Scripted> script{
      reply("GET /v1.55/images/" + k_packed.id + "/json", 404, R"({"message":"No such image"})"),
      reply(
          "GET /v1.55/images/json?all=1", 200, "[" + listed(liar) + "," + listed(k_packed) + "]")};
  for (const testing::PackedTestImage* image : {&liar, &k_packed}) {
    const std::string get = "GET /v1.55/images/" + image->target.to_string() + "/json";
    script.push_back(reply(get, 200, image->inspection));
    script.push_back(reply(get, 200, image->inspection));
    script.push_back(reply("GET /v1.55/info", 200, info));
  }
  make_packed(std::move(script));
  EXPECT_EQ(
      run(io, get_image_by_config(Ctx(), *client, pool, k_packed.id)), k_packed.target.to_string());
}

TEST_F(MakeImageSource, says_when_there_is_no_such_image) {
  FakeEngine none(
      io.get_executor(),
      {ping(), reply("GET /v1.41/images/app:1/json", 404, R"({"message":"No such image"})")});
  DockerClient to_none(io.get_executor(), none.endpoint());
  EXPECT_EQ(
      failure_of([&] { run(io, make_image_source(Ctx(), to_none, pool, "app:1")); }),
      "not_found: the Docker engine has no image 'app:1'");
}

}  // namespace
}  // namespace freshet::engine
