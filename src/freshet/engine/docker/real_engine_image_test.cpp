// SPDX-License-Identifier: Apache-2.0
// Images out of a real engine (FRESHET_TEST_ENGINE), by its export and, where that may be read, by
// its storage.
#include "freshet/base/ids.hpp"
#include "freshet/engine/buildkit/image_config.hpp"
#include "freshet/engine/docker/content_store.hpp"
#include "freshet/engine/docker/image_export.hpp"
#include "freshet/engine/docker/image_handover.hpp"
#include "freshet/engine/docker/image_sources.hpp"
#include "freshet/engine/docker/packed_export.hpp"
#include "freshet/engine/testing/failure.hpp"
#include "freshet/engine/testing/image_maker.hpp"
#include "freshet/engine/testing/real_engine.hpp"
#include "freshet/engine/testing/run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::engine {
namespace {

using testing::collect;
using testing::run;

class RealEngineImage : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::optional<Endpoint> endpoint = find_test_engine();
    if (!endpoint) {
      GTEST_SKIP() << "FRESHET_TEST_ENGINE names no engine";
    }
    name = "freshet-test/layers:" + make_id();
    client.emplace(io.get_executor(), *endpoint);
    build(*endpoint);
    details = run(io, client->find_image(Ctx(), name));
    ASSERT_TRUE(details);
    for (const std::string& diff_id : details->diff_ids) {
      diff_ids.push_back(*oci::Digest::parse(diff_id));
      all.insert(all.size());
    }
  }

  void TearDown() override {
    if (client) {
      run_shell("docker -H " + client->endpoint().to_string() + " rmi " + name);
    }
  }

  /// Layers with links, long and odd names, empty, large and deleted files, one of them twice.
  void build(const Endpoint& endpoint) const {
    const std::string script = fmt::format(
        R"sh(set -e; d=$(mktemp -d); trap 'rm -r "$d"' EXIT; mkdir -p $d/a/sub $d/b
        head -c 3000000 /dev/urandom >$d/a/large; echo small >$d/a/sub/small; : >$d/a/empty
        ln -s ../../large $d/a/sub/link; ln $d/a/large $d/a/hard
        n=$(printf %0200d 0); mkdir $d/a/$n; echo long >$d/a/$n/$n; echo odd >"$d/a/$(printf 'caf\351')"
        mkfifo $d/a/fifo; head -c 100000 /dev/urandom >$d/b/second; echo {} >$d/b/name
        tar -C $d/a -cf $d/a.tar .; tar -C $d/b -cf $d/b.tar .
        printf 'FROM scratch\nADD a.tar /one/\nADD b.tar /two/\nADD b.tar /two/\n' >$d/Dockerfile
        DOCKER_BUILDKIT=0 docker -H {} build -q -t {} $d)sh",
        name,
        endpoint.to_string(),
        name);
    const ShellOutcome built = run_shell(script);
    ASSERT_EQ(built.exit_code, 0) << built.output;
  }

  WantedImage wanted() const { return {*oci::Digest::parse(details->id), diff_ids, "", ""}; }

  std::unique_ptr<oci::ImageSource> exported() {
    return details->is_named_by_manifest ? make_packed_export_source(*client, pool, wanted())
                                         : make_export_source(*client, pool, details->id, diff_ids);
  }

  /// The image by the engine's storage with the first layer in place of the last. Only as this test
  /// sees it: the engine's own files stay as they are.
  std::unique_ptr<oci::ImageSource> damaged(const fs::path& root) {
    if (details->is_named_by_manifest) {
      ContentImage found = load_content_image(content_stores(root), wanted());
      found.image.layers.back() = found.image.layers.front();
      return make_content_source(std::move(found), diff_ids, pool);
    }
    StoredImage stored = load_stored_image(root, *oci::Digest::parse(details->id), diff_ids);
    stored.layers.back().tar_split = stored.layers.front().tar_split;
    return make_storage_source(std::move(stored));
  }

  asio::io_context io;
  asio::thread_pool pool{2};
  std::optional<DockerClient> client;
  std::string name;
  std::optional<ImageDetails> details;
  std::vector<oci::Digest> diff_ids;
  std::set<std::size_t> all;
};

TEST_F(RealEngineImage, comes_out_of_the_export_with_the_right_digests) {
  const auto source = exported();
  const auto layers = run(io, collect(*source, all));
  EXPECT_GE(layers.size(), 2U);
  for (const auto& [index, content] : layers) {
    EXPECT_EQ(oci::Digest::of(content), diff_ids[index]);
  }
  const std::string config = oci::Digest::of(run(io, source->config(Ctx()))).to_string();
  EXPECT_EQ(config, run(io, find_config_digest(Ctx(), *client, pool, name)));
  EXPECT_EQ(config == details->id, !details->is_named_by_manifest);
}

TEST_F(RealEngineImage, has_the_configuration_that_the_builder_tells) {
  const Ctx ctx = Ctx().within(std::chrono::seconds(30));
  const std::string config = run(io, read_image_config(ctx, *client, name));
  const std::string digest = run(io, find_config_digest(ctx, *client, pool, name));
  EXPECT_EQ(oci::Digest::of(config).to_string(), digest);
}

/// Has no image at all.
class NoSource : public oci::ImageSource {
 public:
  explicit NoSource(std::vector<oci::Digest> diff_ids) : diff_ids_(std::move(diff_ids)) {}
  const std::vector<oci::Digest>& diff_ids() const override { return diff_ids_; }
  std::string_view name() const override { return "nothing"; }
  Awaitable<std::string> config(Ctx) override { throw Error(ErrorCode::internal, "no source"); }
  Awaitable<void> visit_layers(Ctx, std::set<std::size_t>, Visitor) override {
    throw Error(ErrorCode::internal, "no source");
  }

 private:
  const std::vector<oci::Digest> diff_ids_;
};

TEST_F(RealEngineImage, is_handed_over_by_its_upper_layers_and_keeps_its_names) {
  if (details->is_named_by_manifest) {
    GTEST_SKIP() << "this engine has compressed layers, and gives them as they are";
  }
  ImageDetails as_large = *details;
  as_large.size_bytes = 100'000'000'000;  // makes the export look dear
  ReadingOptions options;
  options.read_config = [&](Ctx ctx, std::string of) {
    return read_image_config(ctx, *client, std::move(of));
  };
  const auto source =
      make_handover_source(*client, pool, as_large, options, std::make_unique<NoSource>(diff_ids));
  const std::size_t top = diff_ids.size() - 1;
  const auto layers = run(io, collect(*source, {0, top}));
  EXPECT_EQ(oci::Digest::of(layers.at(0)), diff_ids[0]);
  EXPECT_EQ(oci::Digest::of(layers.at(top)), diff_ids[top]);
  EXPECT_EQ(oci::Digest::of(run(io, source->config(Ctx()))).to_string(), details->id);
  EXPECT_EQ(run(io, client->find_image(Ctx(), name))->repo_tags, details->repo_tags);
}

TEST_F(RealEngineImage, comes_out_of_the_storage_byte_for_byte_as_out_of_the_export) {
  const auto source = run(io, make_image_source(Ctx(), *client, pool, name));
  if (source->name() != "storage of the engine") {
    GTEST_SKIP() << "the engine's storage cannot be read: "
                 << run(io, client->info(Ctx())).storage_driver;
  }
  const auto other = exported();
  EXPECT_TRUE(run(io, collect(*source, all)) == run(io, collect(*other, all)));  // not printed
  EXPECT_EQ(run(io, source->config(Ctx())), run(io, other->config(Ctx())));
  EXPECT_EQ(source->name(), "storage of the engine");  // to the end
}

TEST_F(RealEngineImage, is_exported_where_the_storage_has_been_damaged) {
  const EngineInfo info = run(io, client->info(Ctx()));
  const auto source = run(io, make_image_source(Ctx(), *client, pool, name));
  if (source->name() != "storage of the engine") {
    GTEST_SKIP() << "the engine's storage cannot be read: " << info.storage_driver;
  }
  const std::size_t last = diff_ids.size() - 1;
  const auto fallback = make_fallback_source(damaged(info.root_directory), exported());
  const auto layers_found = run(io, collect(*fallback, {0, last}));
  EXPECT_EQ(oci::Digest::of(layers_found.at(0)), diff_ids[0]);
  EXPECT_EQ(oci::Digest::of(layers_found.at(last)), diff_ids[last]);
  EXPECT_EQ(fallback->name(), "export by the engine");
}

}  // namespace
}  // namespace freshet::engine
