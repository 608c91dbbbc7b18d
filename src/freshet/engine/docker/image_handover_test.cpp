// SPDX-License-Identifier: Apache-2.0
// When layers are handed over; how, the tests on a real engine show.
#include "freshet/engine/docker/image_handover.hpp"

#include "freshet/engine/docker/image_layers.hpp"
#include "freshet/engine/testing/fake_engine.hpp"
#include "freshet/engine/testing/image_maker.hpp"
#include "freshet/engine/testing/run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::engine {
namespace {

using testing::collect;
using ::testing::ElementsAre;
using testing::FakeEngine;
using ::testing::IsEmpty;
using ::testing::Pair;
using testing::ping;
using testing::reply;
using testing::run;
using testing::TestImage;

const TestImage k_image({"one", "two", "three", "four", "five", "six", "seven"});

class FakeExport : public oci::ImageSource {
 public:
  const std::vector<oci::Digest>& diff_ids() const override { return k_image.diff_ids; }
  std::string_view name() const override { return "export by the engine"; }
  Awaitable<std::string> config(Ctx) override {
    ++configs;
    co_return k_image.config;
  }
  Awaitable<void> visit_layers(Ctx, std::set<std::size_t> wanted, Visitor visit) override {
    for (const std::size_t index : wanted) {
      co_await visit(index, oci::testing::stream_of(k_image.layers[index]));
    }
  }

  int configs = 0;
};

class Handover : public ::testing::Test {
 protected:
  void start(std::vector<std::string> repo_tags, std::vector<testing::Scripted> script) {
    script.insert(script.begin(), ping());
    engine.emplace(io.get_executor(), std::move(script));
    client.emplace(io.get_executor(), engine->endpoint());
    ImageDetails details;
    details.id = k_image.id;
    details.repo_tags = std::move(repo_tags);
    details.size_bytes = 1'000'000'000;
    ReadingOptions options;
    options.read_config = [this](Ctx, std::string name) { return tell(std::move(name)); };
    options.say = [this](std::string_view line) { said.emplace_back(line); };
    auto fake = std::make_unique<FakeExport>();
    exported = fake.get();
    source = make_handover_source(*client, pool, details, options, std::move(fake));
  }

  Awaitable<std::string> tell(std::string name) {
    asked.push_back(std::move(name));
    if (told.empty()) {
      throw Error(ErrorCode::unavailable, "no builder");
    }
    co_return told;
  }

  static testing::Scripted history(std::string_view sizes) {
    return reply(
        fmt::format("GET /v1.41/images/{}/history", k_image.id), 200, fmt::format("[{}]", sizes));
  }

  asio::io_context io;
  asio::thread_pool pool{1};
  std::optional<FakeEngine> engine;
  std::optional<DockerClient> client;
  FakeExport* exported = nullptr;
  std::unique_ptr<oci::ImageSource> source;
  std::string told = k_image.config;
  std::vector<std::string> asked;
  std::vector<std::string> said;
};

TEST_F(Handover, needs_no_export_for_the_configuration) {
  start({"app:1"}, {});
  EXPECT_EQ(run(io, source->config(Ctx())), k_image.config);
  EXPECT_EQ(run(io, source->config(Ctx())), k_image.config);
  EXPECT_THAT(asked, ElementsAre("app:1"));
  EXPECT_EQ(exported->configs, 0);
}

TEST_F(Handover, exports_the_configuration_when_the_builder_does_not_tell_it) {
  start({"app:1"}, {});
  told.clear();
  EXPECT_EQ(run(io, source->config(Ctx())), k_image.config);
  EXPECT_EQ(exported->configs, 1);
}

TEST_F(Handover, leaves_layers_below_the_five_uppermost_to_the_export) {
  start({}, {});
  EXPECT_THAT(run(io, collect(*source, {1, 6})), ElementsAre(Pair(1, "two"), Pair(6, "seven")));
  EXPECT_THAT(said, ElementsAre("The engine exports the image"));
  EXPECT_THAT(engine->requests(), IsEmpty());
}

TEST_F(Handover, leaves_large_layers_to_the_export) {
  std::string sizes = R"({"Size":900000000})";
  for (int i = 0; i < 6; ++i) {
    sizes += R"(,{"Size":10})";
  }
  start({}, {history(sizes)});
  EXPECT_THAT(run(io, collect(*source, {6})), ElementsAre(Pair(6, "seven")));
  EXPECT_THAT(
      said,
      ElementsAre("Up to 900 MB of the image's 1.0 GB are missing: the engine exports the image"));
}

TEST_F(Handover, that_fails_is_made_good_by_the_export) {
  std::string sizes = R"({"Size":10})";
  for (int i = 0; i < 6; ++i) {
    sizes += R"(,{"Size":10})";
  }
  start(
      {},
      {history(sizes),
       reply("GET /v1.41/images/freshet-empty:1/json", 500, R"({"message":"out of order"})")});
  EXPECT_THAT(run(io, collect(*source, {6})), ElementsAre(Pair(6, "seven")));
  EXPECT_THAT(
      said,
      ElementsAre(
          "At most 10 B of the image's 1.0 GB are missing: the engine hands over just those "
          "layers, for its export would write all of them first",
          "warning: the engine hands nothing over: the Docker engine could not inspect image "
          "'freshet-empty:1'; it exports the image"));
}

}  // namespace
}  // namespace freshet::engine
