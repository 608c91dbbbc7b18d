// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/content_store.hpp"

#include "freshet/engine/testing/failure.hpp"
#include "freshet/engine/testing/packed_image_maker.hpp"
#include "freshet/engine/testing/run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::engine {
namespace {

using testing::blob_path;
using testing::collect;
using testing::collect_blobs;
using ::testing::ElementsAre;
using testing::failure_of;
using testing::PackedTestImage;
using ::testing::Pair;
using testing::run;
using testing::store_blobs;

const PackedTestImage k_image({"one", "two", "one"});

class ContentStore : public ::testing::Test {
 protected:
  std::vector<fs::path> stores() const {
    return {"/nonexistent", content_stores(tree.path()).front()};
  }
  std::unique_ptr<oci::ImageSource> open() {
    return make_content_source(
        load_content_image(stores(), k_image.wanted()), k_image.diff_ids, pool);
  }
  std::string failure_to_open() {
    return failure_of([&] { open(); });
  }
  std::string place(const std::string& content) const {
    return (tree.path() / blob_path(content)).string();
  }

  asio::io_context io;
  asio::thread_pool pool{1};
  TempTree tree;
};

TEST_F(ContentStore, gives_manifest_configuration_and_blobs_as_they_are) {
  store_blobs(tree, k_image.blobs());
  const auto source = open();
  EXPECT_EQ(run(io, source->manifest(Ctx()))->bytes, k_image.manifest);
  EXPECT_EQ(run(io, source->config(Ctx())), k_image.config);
  EXPECT_THAT(
      run(io, collect_blobs(*source, {0, 1, 2})),
      ElementsAre(Pair(0, k_image.packed[0]), Pair(1, k_image.packed[1])));
}

TEST_F(ContentStore, unpacks_layers) {
  store_blobs(tree, k_image.blobs());
  const auto source = open();
  EXPECT_THAT(run(io, collect(*source, {1, 2})), ElementsAre(Pair(1, "two"), Pair(2, "one")));
}

TEST_F(ContentStore, is_not_used_where_it_lacks_a_layer_or_has_it_cut_short) {
  EXPECT_EQ(
      failure_to_open(),
      "not_found: the engine's storage lacks image '" + k_image.target.to_string() + "'");
  store_blobs(tree, {k_image.manifest, k_image.config, k_image.packed[0]});
  EXPECT_EQ(
      failure_to_open(),
      "not_found: the engine's storage lacks image '" + k_image.target.to_string() + "'");
  tree.file(blob_path(k_image.packed[1]), "cut");
  EXPECT_EQ(
      failure_to_open(),
      "not_found: the engine's storage lacks image '" + k_image.target.to_string() + "'");
}

TEST_F(ContentStore, notices_a_blob_that_has_changed) {
  store_blobs(tree, k_image.blobs());
  const auto source = open();
  std::string changed = k_image.packed[1];
  changed.back() = static_cast<char>(changed.back() ^ 1);
  tree.file(blob_path(k_image.packed[1]), changed);
  const std::string expected = "corrupt_data: the engine's storage gave layer '" +
                               oci::Digest::of(changed).to_string() + "' for layer '" +
                               oci::Digest::of(k_image.packed[1]).to_string() + "'";
  EXPECT_EQ(failure_of([&] { run(io, collect_blobs(*source, {1})); }), expected);
}

TEST_F(ContentStore, follows_no_link) {
  store_blobs(tree, k_image.blobs());
  const auto source = open();
  fs::remove(place(k_image.packed[1]));
  tree.file("elsewhere", k_image.packed[1]);
  fs::create_symlink(tree.path() / "elsewhere", place(k_image.packed[1]));
  EXPECT_EQ(
      failure_of([&] { run(io, collect_blobs(*source, {1})); }),
      "corrupt_data: the engine's file '" + place(k_image.packed[1]) +
          "' cannot be read: too many levels of symbolic links");
}

}  // namespace
}  // namespace freshet::engine
