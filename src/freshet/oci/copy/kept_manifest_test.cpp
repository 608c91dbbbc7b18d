// SPDX-License-Identifier: Apache-2.0
// Pushes of images that the source keeps as registries do.
#include "freshet/base/testing/run.hpp"
#include "freshet/base/testing/temp_directory.hpp"
#include "freshet/oci/distribution/upload_journal.hpp"
#include "freshet/oci/testing/mover_fixture.hpp"

#include <gmock/gmock.h>

namespace freshet::oci {
namespace {

using ::testing::ElementsAre;
using testing::FakeImage;
using ::testing::IsEmpty;
using testing::MoverTest;

constexpr std::string_view k_gzip = "application/vnd.oci.image.layer.v1.tar+gzip";
constexpr std::string_view k_zstd = "application/vnd.oci.image.layer.v1.tar+zstd";
constexpr std::string_view k_tar = "application/vnd.oci.image.layer.v1.tar";

class KeptPush : public MoverTest {
 protected:
  /// An upload that has those bytes so far; where it is.
  std::string begin_upload(
      testing::MemoryRegistry& registry, const std::string& repository, std::string bytes) {
    net::HttpRequest request;
    request.method = "POST";
    request.url = fmt::format("https://one.test/v2/{}/blobs/uploads/", repository);
    const auto begun = net::testing::run_on(io, registry.send(Ctx(), request));
    const std::string session = begun.headers.find("Location").value();
    request.method = "PATCH";
    request.url = "https://one.test" + session;
    request.body = std::move(bytes);
    net::testing::run_on(io, registry.send(Ctx(), request));
    return session;
  }
};

Digest kept_digest(FakeImage& image) {
  return freshet::testing::run(image.manifest(Ctx())).value().descriptor.digest;
}

TEST_F(KeptPush, sends_the_blobs_and_the_manifest_as_they_are) {
  FakeImage image({"lowest", "same", "same"});
  image.keep({"packed lowest", "packed same", "packed same"}, k_gzip);

  const MoveReport report = push(image, place(one, "app"), {"v1", "v2"});

  EXPECT_EQ(report.manifest.digest, kept_digest(image));
  EXPECT_EQ(one.repositories["app"].tags["v2"], kept_digest(image).to_string());
  EXPECT_TRUE(has_image(one, "app", "v1"));
  EXPECT_THAT(image.visited_blobs, ElementsAre(0, 1));
  EXPECT_THAT(image.visited, IsEmpty());
  EXPECT_EQ(report.blobs_uploaded, 3);
}

TEST_F(KeptPush, asks_once_for_an_image_that_is_all_there) {
  FakeImage image({"lowest", "top"});
  image.keep({"packed lowest", "packed top"}, k_gzip);
  push(image, place(one, "app"), {"v1"});
  one.log.clear();
  image.visited_blobs.clear();

  const MoveReport report = push(image, place(one, "app"), {"v1"});

  EXPECT_THAT(one.log, ElementsAre("HEAD /v2/app/manifests/v1"));
  EXPECT_THAT(image.visited_blobs, IsEmpty());
  EXPECT_EQ(report.blobs_present, 3);
}

TEST_F(KeptPush, mounts_blobs_that_another_repository_has) {
  FakeImage image({"lowest", "top"});
  image.keep({"packed lowest", "packed top"}, k_gzip);
  push(image, place(one, "team/app"), {"v1"});
  image.visited_blobs.clear();

  const MoveReport report = push(image, place(one, "other"), {"v1"});

  EXPECT_EQ(report.manifest.digest, kept_digest(image));
  EXPECT_THAT(image.visited_blobs, IsEmpty());
  EXPECT_EQ(report.blobs_mounted, 3);
}

TEST_F(KeptPush, sends_no_blob_that_is_there_though_nobody_remembers_it) {
  FakeImage image({"lowest", "top"});
  image.keep({"packed lowest", "packed top"}, k_gzip);
  one.add_blob("app", "packed lowest");

  const MoveReport report = push(image, place(one, "app"), {"v1"});

  EXPECT_THAT(image.visited_blobs, ElementsAre(1));
  EXPECT_EQ(report.blobs_present, 1);
}

TEST_F(KeptPush, does_not_take_another_packing_of_a_layer_for_the_kept_one) {
  FakeImage made({"lowest", "top"});
  push(made, place(one, "app"), {"made"});
  FakeImage image({"lowest", "top"});
  image.keep({"packed lowest", "packed top"}, k_gzip);

  push(image, place(one, "app"), {"kept"});

  EXPECT_THAT(image.visited_blobs, ElementsAre(0, 1));
  EXPECT_TRUE(has_image(one, "app", "kept"));
}

TEST_F(KeptPush, goes_on_with_the_upload_of_an_earlier_process) {
  const std::string large(9UL * 1024 * 1024, 'x');
  FakeImage image({"lowest"});
  image.keep({large}, k_gzip);
  const freshet::testing::TempDirectory directory;
  FileUploadJournal journal(directory.path() / "uploads");
  const std::string session = begin_upload(one, "app", large.substr(0, large.size() / 3));
  FileUploadJournal(directory.path() / "uploads")
      .remember({"one.test", "app", Digest::of(large)}, {session, 0});
  RegistryOptions options;
  options.journal = &journal;
  const Place to{
      std::make_shared<RegistryClient>(
          one, "one.test", std::make_shared<FixedCredentials>(std::nullopt), options),
      "app"};
  one.log.clear();

  push(image, to, {"v1"});

  EXPECT_TRUE(has_image(one, "app", "v1"));
  EXPECT_THAT(image.visited_blobs, ElementsAre(0));
  EXPECT_EQ(one.count("GET " + session), 1);
  EXPECT_EQ(one.count("PATCH " + session), 1);
}

TEST_F(KeptPush, makes_a_manifest_where_the_kept_one_does_not_suit) {
  const auto is_kept = [&](std::string_view type, Compression compression) {
    FakeImage image({"lowest", "top"});
    image.keep({"packed lowest", "packed top"}, type);
    PushOptions options;
    options.compression = compression;
    const MoveReport report = push(image, place(one, "app"), {"v1"}, options);
    EXPECT_TRUE(has_image(one, "app", "v1"));
    return report.manifest.digest == kept_digest(image);
  };
  EXPECT_FALSE(is_kept(k_tar, Compression::gzip));
  EXPECT_FALSE(is_kept(k_zstd, Compression::gzip));
  EXPECT_TRUE(is_kept(k_zstd, Compression::zstd));
}

TEST_F(KeptPush, makes_a_manifest_where_equal_layers_were_packed_differently) {
  FakeImage image({"same", "same"});
  image.keep({"packed", "packed otherwise"}, k_gzip);

  push(image, place(one, "app"), {"v1"});

  EXPECT_TRUE(has_image(one, "app", "v1"));
  EXPECT_THAT(image.visited_blobs, IsEmpty());
}

}  // namespace
}  // namespace freshet::oci
