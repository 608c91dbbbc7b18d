// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/image_store.hpp"

#include "freshet/base/testing/run.hpp"
#include "freshet/engine/testing/failure.hpp"
#include "freshet/engine/testing/image_maker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::engine {
namespace {

using freshet::testing::run;
using oci::testing::read_all;
using testing::failure_of;
using ::testing::HasSubstr;
using testing::RecordMaker;
using ::testing::StartsWith;
using testing::store;
using testing::TestImage;

std::string archive_of(const StoredLayer& layer) {
  const auto produce = [&](oci::ProducerSink& sink) { write_archive(layer, sink); };
  return run(read_all(*oci::make_produced_stream(produce, layer.diff_id, "the storage")));
}

class ImageStore : public ::testing::Test {
 protected:
  StoredImage load() { return load_stored_image(tree.path(), id(), image.diff_ids); }
  oci::Digest id() const { return *oci::Digest::parse(image.id); }
  std::string load_failure() {
    std::string text = failure_of([&] { load(); });
    const std::size_t at = text.find(tree.path().string());
    return at == std::string::npos ? text : text.replace(at, tree.path().string().size(), "ROOT");
  }
  std::string record(std::size_t index) const {
    const std::vector<oci::Digest> chain = chain_ids(image.diff_ids);
    return "image/overlay2/layerdb/sha256/" + std::string(chain[index].hex()) + "/";
  }

  /// What is said about a layer with this record, whose folder has `dir/content` and more.
  std::string archive_failure(const std::string& record_text) {
    tree.file("record", record_text);
    const StoredLayer layer{image.diff_ids[0], tree.path() / "files", tree.path() / "record"};
    return failure_of([&] { archive_of(layer); });
  }

  TestImage image{{"the first layer", "the second", "the first layer"}};
  TempTree tree;
};

TEST_F(ImageStore, gives_config_and_archives_byte_for_byte) {
  store(tree, image);
  const StoredImage stored = load();
  EXPECT_EQ(stored.config, image.config);
  ASSERT_EQ(stored.layers.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(archive_of(stored.layers[i]), image.layers[i]);
  }
}

TEST_F(ImageStore, refuses_an_image_that_is_not_all_there) {
  EXPECT_THAT(load_failure(), StartsWith("not_found: "));
  store(tree, image);
  fs::remove(tree.path() / record(1) / "tar-split.json.gz");
  EXPECT_EQ(
      load_failure(),
      "not_found: the engine's file 'ROOT/" + record(1) +
          "tar-split.json.gz' cannot be read: no such file or directory");
  store(tree, image);
  fs::remove_all(tree.path() / "overlay2/layer2");
  EXPECT_EQ(
      load_failure(),
      "not_found: the engine's file 'ROOT/overlay2/layer2/diff' cannot be read: no such file or "
      "directory");
}

TEST_F(ImageStore, refuses_what_is_not_what_its_name_says) {
  store(tree, image);
  tree.file("image/overlay2/imagedb/content/sha256/" + image.id.substr(7), image.config + " ");
  EXPECT_EQ(
      load_failure(),
      "corrupt_data: the engine's storage has another image for '" + image.id + "'");
  store(tree, image);
  tree.file(record(1) + "diff", image.diff_ids[0].to_string());
  EXPECT_EQ(
      load_failure(),
      "corrupt_data: the engine's storage has another layer for '" +
          chain_ids(image.diff_ids)[1].to_string() + "'");
  for (const char* folder : {"", "../layer0", "..", "a/b", "a\nb", "/etc"}) {
    store(tree, image);
    tree.file(record(0) + "cache-id", folder);
    EXPECT_EQ(
        load_failure(),
        "corrupt_data: the engine's storage has no folder for layer '" +
            image.diff_ids[0].to_string() + "'");
  }
}

TEST_F(ImageStore, reads_no_file_beyond_the_layers_folder) {
  tree.file("secret", "secret");
  tree.file("files/dir/content", "secret");
  tree.link("files/link", "../secret");
  tree.link("files/within", "dir/content");
  tree.link("files/up", "..");
  tree.fifo("files/fifo");
  for (const char* name :
       {"../secret", "dir/../../secret", "link", "within", "up/secret", "/../secret"}) {
    const std::string said = archive_failure(RecordMaker().file(name, 6).finish());
    EXPECT_THAT(said, StartsWith("corrupt_data: the engine's file '"));
    EXPECT_THAT(said, HasSubstr("cannot be read: ")) << name;
  }
  EXPECT_THAT(
      archive_failure(RecordMaker().file((tree.path() / "secret").string(), 6).finish()),
      StartsWith("not_found: "));
  for (const char* name : {"fifo", "dir"}) {
    EXPECT_EQ(
        archive_failure(RecordMaker().file(name, 6).finish()),
        fmt::format(
            "corrupt_data: the engine's file '{}' is not the one of 6 bytes that was there", name));
  }
}

TEST_F(ImageStore, notices_files_that_have_changed) {
  tree.file("files/a", "123");
  for (const std::uint64_t size : {2UL, 4UL, 1UL << 62}) {
    EXPECT_EQ(
        archive_failure(RecordMaker().file("a", size).finish()),
        fmt::format(
            "corrupt_data: the engine's file 'a' is not the one of {} bytes that was there", size));
  }
  EXPECT_EQ(
      archive_failure(RecordMaker().file("gone", 3).finish()),
      "not_found: the engine's file 'gone' cannot be read: no such file or directory");
  EXPECT_EQ(
      archive_failure(RecordMaker().file("a", 3).finish()),
      "corrupt_data: the storage gave layer '" + oci::Digest::of("123").to_string() +
          "' for layer '" + image.diff_ids[0].to_string() + "'");
}

TEST_F(ImageStore, understands_names_that_are_no_text_and_absolute_ones) {
  tree.file("files/caf\xe9", "123");
  tree.file(
      "record",
      RecordMaker()
          .line(R"({"type":1,"name_raw":"Y2Fm6Q==","size":3,)")
          .file("/caf", 0)
          .segment("end")
          .text());
  const StoredLayer layer{oci::Digest::of("123end"), tree.path() / "files", tree.path() / "record"};
  EXPECT_EQ(archive_of(layer), "123end");
}

TEST_F(ImageStore, refuses_damaged_records) {
  tree.file("files/a", "123");
  const std::string record = "corrupt_data: the engine's record of a layer's archive is damaged: ";
  const std::string good = RecordMaker().segment(std::string(5000, 'x')).file("a", 3).finish();
  EXPECT_EQ(archive_failure(good.substr(0, good.size() - 1)), record + "it is cut short");
  EXPECT_EQ(archive_failure(R"({"type":2)"), record + "it is cut short");
  EXPECT_EQ(
      archive_failure(RecordMaker().line(R"({"type":2,"payload":"!",)").finish()),
      record + "a part is not base64");
  EXPECT_EQ(
      archive_failure(RecordMaker().line(R"({"type":3,)").finish()),
      record + "a part is of an unknown kind");
  EXPECT_EQ(
      archive_failure(RecordMaker().line(R"({"type":1,"name":"a","size":-1,)").finish()),
      record + "a part is of an unknown kind");
  EXPECT_EQ(archive_failure("[]\n"), record + "a line is not a JSON object");
  EXPECT_EQ(archive_failure("\n"), record + "a line is not a JSON object");
  EXPECT_EQ(
      archive_failure(R"({"type":2,"payload":"","position":1})"
                      "\n"),
      record + "a part is missing");
  EXPECT_EQ(
      archive_failure(testing::compressed(std::string(20'000'000, ' '), oci::Compression::gzip)),
      record + "a part is too large");
}

TEST_F(ImageStore, says_when_it_may_not_read) {
  store(tree, image);
  const AsNobody nobody;
  EXPECT_EQ(
      load_failure(),
      "forbidden: cannot read 'ROOT/image/overlay2/imagedb/content/sha256/" + image.id.substr(7) +
          "': Permission denied");
}

}  // namespace
}  // namespace freshet::engine
