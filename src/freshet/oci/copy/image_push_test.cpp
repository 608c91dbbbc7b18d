// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/testing/run.hpp"
#include "freshet/base/testing/temp_directory.hpp"
#include "freshet/oci/testing/mover_fixture.hpp"

#include <gmock/gmock.h>

namespace freshet::oci {
namespace {

using freshet::testing::error_of;
using ::testing::ElementsAre;
using testing::FakeImage;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MoverTest;

using ImagePush = MoverTest;

TEST_F(ImagePush, uploads_every_layer_once_and_then_the_manifest) {
  FakeImage image({"lowest", "same", "same", "top"});

  const MoveReport report = push(image, place(one, "app"), {"v1", "v2"});

  EXPECT_TRUE(has_image(one, "app", "v1"));
  EXPECT_EQ(one.repositories["app"].tags["v1"], one.repositories["app"].tags["v2"]);
  EXPECT_EQ(report.manifest.media_type, testing::k_docker_manifest);
  EXPECT_EQ(report.blobs_uploaded, 4);
  EXPECT_THAT(image.visited, ElementsAre(0, 1, 3));
  EXPECT_EQ(memory.size(), 3U);
  EXPECT_EQ(one.log.back(), "PUT /v2/app/manifests/v2");
  EXPECT_EQ(one.first("PUT", "/manifests/"), static_cast<int>(one.log.size()) - 2);
}

TEST_F(ImagePush, makes_the_same_manifest_of_the_same_image) {
  FakeImage image({"lowest", "top"});
  const MoveReport first = push(image, place(one, "app"), {"v1"});
  const MoveReport second = push(image, place(two, "app"), {"v1"});
  EXPECT_EQ(first.manifest, second.manifest);
}

TEST_F(ImagePush, uses_the_types_of_oci_for_zstd) {
  FakeImage image({"lowest", "top"});
  PushOptions options;
  options.compression = Compression::zstd;

  const MoveReport report = push(image, place(one, "app"), {"v1"}, options);

  EXPECT_EQ(report.manifest.media_type, testing::k_oci_manifest);
  EXPECT_THAT(
      one.repositories["app"].manifests.at(report.manifest.digest.to_string()).bytes,
      HasSubstr("application/vnd.oci.image.layer.v1.tar+zstd"));
}

TEST_F(ImagePush, asks_once_for_an_image_that_is_all_there) {
  FakeImage image({"lowest", "top"});
  push(image, place(one, "app"), {"v1"});
  one.log.clear();
  image.visited.clear();

  const MoveReport report = push(image, place(one, "app"), {"v1"});

  EXPECT_THAT(one.log, ElementsAre("HEAD /v2/app/manifests/v1"));
  EXPECT_THAT(image.visited, IsEmpty());
  EXPECT_EQ(report.blobs_present, 3);
}

TEST_F(ImagePush, reads_only_the_layers_that_the_registry_lacks) {
  FakeImage before({"lowest", "old top"});
  push(before, place(one, "app"), {"v1"});
  FakeImage after({"lowest", "new top"});

  const MoveReport report = push(after, place(one, "app"), {"v2"});

  EXPECT_TRUE(has_image(one, "app", "v2"));
  EXPECT_THAT(after.visited, ElementsAre(1));
  EXPECT_EQ(report.blobs_present, 1);
  EXPECT_EQ(report.blobs_uploaded, 2);
}

TEST_F(ImagePush, mounts_layers_that_another_repository_has) {
  FakeImage image({"lowest", "top"});
  push(image, place(one, "team/app"), {"v1"});
  image.visited.clear();

  const MoveReport report = push(image, place(one, "other"), {"v1"});

  EXPECT_TRUE(has_image(one, "other", "v1"));
  EXPECT_THAT(image.visited, IsEmpty());
  EXPECT_EQ(report.blobs_mounted, 3);
}

TEST_F(ImagePush, copies_layers_from_a_neighbour_in_another_registry) {
  FakeImage image({"lowest", "top"});
  push(image, place(one, "team/app"), {"v1"});
  image.visited.clear();
  PushOptions options;
  options.neighbours.push_back(place(one, "cache"));

  const MoveReport report = push(image, place(two, "app"), {"v1"}, options);

  EXPECT_TRUE(has_image(two, "app", "v1"));
  EXPECT_THAT(image.visited, IsEmpty());
  EXPECT_EQ(report.blobs_copied, 2);
}

TEST_F(ImagePush, reads_the_layers_when_the_neighbour_is_in_trouble) {
  FakeImage image({"lowest", "top"});
  push(image, place(one, "team/app"), {"v1"});
  one.denied = "HEAD /v2/team/app/blobs/";
  PushOptions options;
  options.neighbours.push_back(place(one, "team/app"));

  const MoveReport report = push(image, place(two, "app"), {"v1"}, options);

  EXPECT_TRUE(has_image(two, "app", "v1"));
  EXPECT_EQ(report.blobs_uploaded, 3);
}

TEST_F(ImagePush, forgets_what_the_registry_lost) {
  FakeImage image({"lowest", "top"});
  push(image, place(one, "app"), {"v1"});
  one.repositories["app"] = {};
  ImageMover restarted(pool, memory);

  const MoveReport report =
      net::testing::run_on(io, restarted.push(Ctx{}, image, place(one, "app"), {"v1"}, {}, {}));

  EXPECT_TRUE(has_image(one, "app", "v1"));
  EXPECT_EQ(report.blobs_uploaded, 3);
}

TEST_F(ImagePush, does_not_use_zstd_layers_where_gzip_is_asked_for) {
  FakeImage image({"lowest"});
  PushOptions zstd;
  zstd.compression = Compression::zstd;
  push(image, place(one, "app"), {"v1"}, zstd);

  const MoveReport report = push(image, place(one, "app"), {"v2"});

  EXPECT_EQ(report.manifest.media_type, testing::k_docker_manifest);
  EXPECT_TRUE(has_image(one, "app", "v2"));
}

TEST_F(ImagePush, counts_a_commit_whose_answer_was_lost) {
  FakeImage image({"lowest", "top"});
  one.commits_to_lose = 2;

  push(image, place(one, "app"), {"v1"});

  EXPECT_TRUE(has_image(one, "app", "v1"));
}

Awaitable<MoveReport> push_for_two(ImageMover& mover, ImageSource& image, Place target) {
  std::vector<std::string> tags;
  tags.push_back("v1");
  PushOptions options;
  co_return co_await mover.push(Ctx(), image, std::move(target), std::move(tags), options, nullptr);
}

TEST_F(ImagePush, reads_a_layer_once_for_two_pushes_at_the_same_time) {
  using namespace asio::experimental::awaitable_operators;
  FakeImage first({"lowest", "same"});
  FakeImage second({"same", "another"});
  const Place target = place(one, "app");

  net::testing::run_on(
      io, push_for_two(mover, first, target) && push_for_two(mover, second, target));

  EXPECT_EQ(first.visited.size() + second.visited.size(), 3U);
  EXPECT_TRUE(has_image(one, "app", "v1"));
}

TEST_F(ImagePush, reads_a_layer_once_for_two_programs_at_the_same_time) {
  using namespace asio::experimental::awaitable_operators;
  const freshet::testing::TempDirectory locks;
  ImageMover here(pool, memory, locks.path());
  ImageMover there(pool, memory, locks.path());
  FakeImage first({"lowest", "same", "alike", "equal"});
  FakeImage second({"equal", "same", "alike", "another"});
  const Place target = place(one, "app");

  net::testing::run_on(
      io, push_for_two(here, first, target) && push_for_two(there, second, target));

  EXPECT_EQ(first.visited.size() + second.visited.size(), 5U);
  EXPECT_TRUE(has_image(one, "app", "v1"));
  EXPECT_TRUE(fs::is_empty(locks.path()));
}

/// Its configuration is another image's.
class MixedUpImage final : public ImageSource {
 public:
  const std::vector<Digest>& diff_ids() const override { return layers_.diff_ids(); }
  Awaitable<std::string> config(Ctx ctx) override { return config_.config(ctx); }
  Awaitable<void> visit_layers(Ctx ctx, std::set<std::size_t> wanted, Visitor visit) override {
    return layers_.visit_layers(ctx, std::move(wanted), std::move(visit));
  }
  std::string_view name() const override { return "a mixed-up image"; }

 private:
  FakeImage layers_{{"lowest"}};
  FakeImage config_{{"another"}};
};

TEST_F(ImagePush, refuses_a_configuration_that_does_not_fit_the_layers) {
  MixedUpImage image;
  EXPECT_EQ(
      error_of([&] { push(image, place(one, "app"), {"v1"}); }),
      "corrupt_data\nerror: the image's configuration names other layers than the image has\n");
  EXPECT_THAT(one.log, Not(Contains(HasSubstr("manifests"))));
}

TEST_F(ImagePush, writes_no_manifest_when_a_layer_is_refused) {
  FakeImage image({"lowest", "middle", "top"});
  one.denied = "POST /v2/app/blobs/uploads/";

  const std::string text = error_of([&] { push(image, place(one, "app"), {"v1"}); });

  EXPECT_THAT(text, HasSubstr("DENIED: requested access to the resource is denied"));
  EXPECT_THAT(text, HasSubstr("while uploading layer '" + image.diff_ids()[0].to_string()));
  EXPECT_EQ(one.count("PUT"), 0);
}

}  // namespace
}  // namespace freshet::oci
