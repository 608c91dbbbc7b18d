// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/testing/run.hpp"
#include "freshet/oci/testing/mover_fixture.hpp"

#include <gmock/gmock.h>

namespace freshet::oci {
namespace {

using freshet::testing::error_of;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Lines;
using testing::MoverTest;

using ImageCopy = MoverTest;

TEST_F(ImageCopy, brings_an_image_to_another_registry_byte_for_byte) {
  const Manifest image = add_image(one, "team/app", "v1", {"base", "the application"});

  const MoveReport report = copy(place(one, "team/app"), "v1", place(two, "prod/app"), {"v1"});

  EXPECT_TRUE(has_image(two, "prod/app", "v1"));
  EXPECT_EQ(two.repositories["prod/app"].tags["v1"], image.descriptor.digest.to_string());
  EXPECT_EQ(report.manifest, image.descriptor);
  EXPECT_EQ(report.blobs_copied + report.blobs_uploaded, 3);
  EXPECT_EQ(report.blobs_present + report.blobs_mounted, 0);
  EXPECT_THAT(lines, Contains(Digest::of("base").to_string().substr(0, 19) + "… copied 4 B"));
}

TEST_F(ImageCopy, costs_one_request_a_manifest_when_all_is_there) {
  add_image(one, "app", "v1", {"base", "top"});
  copy(place(one, "app"), "v1", place(two, "app"), {"v1"});
  one.log.clear();
  two.log.clear();

  const MoveReport report = copy(place(one, "app"), "v1", place(two, "app"), {"v1"});

  EXPECT_THAT(one.log, ElementsAre("HEAD /v2/app/manifests/v1"));
  EXPECT_THAT(two.log, ElementsAre("HEAD /v2/app/manifests/v1"));
  EXPECT_EQ(report.bytes_sent, 0U);
}

TEST_F(ImageCopy, moves_a_tag_that_is_at_another_image_and_leaves_the_others) {
  const Manifest image = add_image(one, "app", "v1", {"base", "top"});
  add_image(two, "app", "latest", {"old"});
  copy(place(one, "app"), "v1", place(two, "app"), {"v1"});
  two.log.clear();

  copy(place(one, "app"), "v1", place(two, "app"), {"v1", "latest", "stable"});

  for (const char* tag : {"v1", "latest", "stable"}) {
    EXPECT_EQ(two.repositories["app"].tags[tag], image.descriptor.digest.to_string());
  }
  EXPECT_EQ(two.count("PUT", "/manifests/"), 2);
  EXPECT_EQ(two.count("", "/blobs/"), 0);
}

TEST_F(ImageCopy, sends_only_the_manifest_for_a_new_tag_of_what_is_there) {
  add_image(one, "app", "v1", {"base"});

  copy(place(one, "app"), "v1", place(one, "app"), {"v2"});

  EXPECT_THAT(
      one.log,
      ElementsAre(
          "GET /v2/app/manifests/v1", "HEAD /v2/app/manifests/v2", "PUT /v2/app/manifests/v2"));
}

TEST_F(ImageCopy, writes_the_tags_after_all_that_they_stand_for) {
  const Manifest amd = add_image(one, "app", "", {"a"});
  const Manifest arm = add_image(one, "app", "", {"b"});
  add_index(one, "app", "v1", {{amd, for_platform("amd64")}, {arm, for_platform("arm64")}});

  copy(place(one, "app"), "v1", place(two, "app"), {"v1", "v2"});

  EXPECT_TRUE(has_image(two, "app", "v1"));
  EXPECT_TRUE(has_image(two, "app", "v2"));
  const int tag = two.first("PUT", "/manifests/v1");
  EXPECT_LT(two.first("PUT", amd.descriptor.digest.to_string()), tag);
  EXPECT_LT(two.first("PUT", arm.descriptor.digest.to_string()), tag);
  for (std::size_t i = 0; i < two.log.size(); ++i) {
    if (two.log[i].find("/blobs/") != std::string::npos) {
      EXPECT_LT(static_cast<int>(i), two.first("PUT", "/manifests/"));
    }
  }
  EXPECT_EQ(two.log.back(), "PUT /v2/app/manifests/v2");
}

TEST_F(ImageCopy, takes_the_image_of_one_platform_out_of_an_index) {
  const Manifest amd = add_image(one, "app", "", {"a"});
  const Manifest arm = add_image(one, "app", "", {"b"});
  add_index(one, "app", "v1", {{amd, for_platform("amd64")}, {arm, for_platform("arm64")}});
  CopyOptions options;
  options.all_platforms = false;
  options.platform = "linux/arm64/v8";

  copy(place(one, "app"), "v1", place(two, "app"), {"v1"}, options);

  EXPECT_EQ(two.repositories["app"].tags["v1"], arm.descriptor.digest.to_string());
  EXPECT_EQ(two.repositories["app"].manifests.size(), 1U);
}

TEST_F(ImageCopy, names_the_platforms_that_there_are) {
  const Manifest amd = add_image(one, "app", "", {"a"});
  add_index(
      one,
      "app",
      "v1",
      {{amd, for_platform("amd64")},
       {amd, R"(,"platform":{"os":"linux","architecture":"arm","variant":"v7"})"}});
  CopyOptions options;
  options.all_platforms = false;
  options.platform = "windows/amd64";

  EXPECT_EQ(
      error_of([&] { copy(place(one, "app"), "v1", place(two, "app"), {"v1"}, options); }),
      "not_found\nerror: the image is not there for platform 'windows/amd64'; it is for "
      "linux/amd64, linux/arm/v7\n");
}

TEST_F(ImageCopy, mounts_within_one_registry) {
  add_image(one, "team/base", "v1", {"base", "top"});

  const MoveReport report = copy(place(one, "team/base"), "v1", place(one, "app"), {"v1"});

  EXPECT_TRUE(has_image(one, "app", "v1"));
  EXPECT_EQ(report.blobs_mounted, 3);
  EXPECT_EQ(report.bytes_sent, 0U);
  EXPECT_EQ(one.count("GET", "/blobs/"), 0);
  EXPECT_THAT(
      lines, Contains(Digest::of("top").to_string().substr(0, 19) + "… mounted from team/base"));
}

TEST_F(ImageCopy, streams_within_one_registry_that_does_not_mount) {
  add_image(one, "team/base", "v1", {"base", "top"});
  one.mounts = false;

  const MoveReport report = copy(place(one, "team/base"), "v1", place(one, "app"), {"v1"});

  EXPECT_TRUE(has_image(one, "app", "v1"));
  EXPECT_EQ(report.blobs_copied, 3);
}

TEST_F(ImageCopy, mounts_what_it_brought_to_the_registry_a_moment_ago) {
  add_image(one, "a", "v1", {"base", "a"});
  add_image(one, "b", "v1", {"base", "b"});
  copy(place(one, "a"), "v1", place(two, "a"), {"v1"});

  const MoveReport report = copy(place(one, "b"), "v1", place(two, "b"), {"v1"});

  EXPECT_TRUE(has_image(two, "b", "v1"));
  EXPECT_EQ(report.blobs_mounted, 1);
}

TEST_F(ImageCopy, mounts_from_where_the_memory_of_layers_says) {
  add_image(one, "a", "v1", {"base"});
  const Descriptor base = two.add_blob("elsewhere", "base", testing::k_docker_layer);
  memory.remember({Digest::of("tar of base"), base, "two.test", "elsewhere"});

  const MoveReport report = copy(place(one, "a"), "v1", place(two, "a"), {"v1"});

  EXPECT_TRUE(has_image(two, "a", "v1"));
  EXPECT_EQ(report.blobs_mounted, 1);
  EXPECT_EQ(memory.size(), 2U);  // and now it is in "a" as well
}

TEST_F(ImageCopy, does_not_believe_what_a_configuration_says_of_its_layers) {
  add_image(one, "a", "v1", {"base"});

  copy(place(one, "a"), "v1", place(two, "a"), {"v1"});

  EXPECT_EQ(memory.size(), 0U);
}

Awaitable<MoveReport> copy_for_two(ImageMover& mover, Place source, Place target, std::string tag) {
  std::vector<std::string> tags;
  tags.push_back(std::move(tag));
  CopyOptions options;
  co_return co_await mover.copy(
      Ctx(), std::move(source), "v1", std::move(target), std::move(tags), options, nullptr);
}

TEST_F(ImageCopy, uploads_a_blob_once_for_two_copies_at_the_same_time) {
  using namespace asio::experimental::awaitable_operators;
  add_image(one, "a", "v1", {"base", "a"});
  add_image(one, "b", "v1", {"base", "b"});
  const Place target = place(two, "app");

  net::testing::run_on(
      io,
      copy_for_two(mover, place(one, "a"), target, "a") &&
          copy_for_two(mover, place(one, "b"), target, "b"));

  EXPECT_TRUE(has_image(two, "app", "a"));
  EXPECT_TRUE(has_image(two, "app", "b"));
  EXPECT_EQ(two.count("PUT", Digest::of("base").hex()), 1);
}

TEST_F(ImageCopy, looks_again_when_a_blob_that_was_there_is_gone) {
  add_image(one, "a", "v1", {"base", "a"});
  copy(place(one, "a"), "v1", place(two, "app"), {"v1"});
  two.repositories["app"] = {};

  copy(place(one, "a"), "v1", place(two, "app"), {"v1"});

  EXPECT_TRUE(has_image(two, "app", "v1"));
}

TEST_F(ImageCopy, names_a_blob_that_the_source_lost_and_writes_no_tag) {
  add_image(one, "app", "v1", {"base", "top"});
  const std::string lost = Digest::of("top").to_string();
  one.repositories["app"].blobs.erase(lost);

  const std::string text =
      error_of([&] { copy(place(one, "app"), "v1", place(two, "app"), {"v1"}); });

  EXPECT_EQ(
      text,
      "not_found\nerror: 'one.test/app' does not have blob '" + lost +
          "', which the image names\n  while bringing blob '" + lost + "' to 'two.test/app'\n");
  EXPECT_EQ(two.count("PUT", "/manifests/"), 0);
}

TEST_F(ImageCopy, tells_failures_of_the_target_from_others) {
  add_image(one, "app", "v1", {"base", "top"});
  const auto copy_it = [&] { copy(place(one, "app"), "v1", place(two, "to"), {"v1"}); };
  for (const char* denied : {"GET /v2/app/manifests", "GET /v2/app/blobs"}) {
    one.denied = denied;
    try {
      copy_it();
      ADD_FAILURE() << denied << " did no harm";
    } catch (const TargetFailure&) {
      ADD_FAILURE() << denied << " was laid to the target";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::upstream_denied) << denied;
    }
  }
  one.denied.clear();
  for (const char* denied : {"POST /v2/to/blobs", "PUT /v2/to/blobs", "PUT /v2/to/manifests"}) {
    two.denied = denied;
    EXPECT_THROW(copy_it(), TargetFailure) << denied;
  }
}

TEST_F(ImageCopy, says_which_image_the_source_does_not_have) {
  EXPECT_EQ(
      error_of([&] { copy(place(one, "app"), "v9", place(two, "app"), {"v9"}); }),
      "not_found\nerror: 'one.test' does not have 'app:v9'\n");
}

TEST_F(ImageCopy, repairs_a_tag_that_came_to_be_something_else_on_its_way) {
  add_image(one, "app", "v1", {"base"});
  two.manifests_to_garble = 1;

  copy(place(one, "app"), "v1", place(two, "app"), {"v1"});

  EXPECT_EQ(two.repositories["app"].tags["v1"], one.repositories["app"].tags["v1"]);
}

TEST_F(ImageCopy, leaves_out_a_foreign_layer_that_nobody_has_and_says_so) {
  const Descriptor foreign{
      "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", Digest::of("windows"), 7};
  const Descriptor config = one.add_blob("app", "{}", testing::k_docker_config);
  one.add_manifest(
      "app",
      fmt::format(
          R"({{"schemaVersion":2,"config":{},"layers":[{}]}})",
          testing::part_json(config),
          testing::part_json(foreign, R"(,"urls":["https://elsewhere.test/x"])")),
      testing::k_docker_manifest,
      "v1");

  // Its configuration is no image's: that does not matter to a copy.
  copy(place(one, "app"), "v1", place(two, "app"), {"v1"});

  EXPECT_TRUE(two.repositories["app"].tags.contains("v1"));
  EXPECT_THAT(lines, Contains(HasSubstr("left out: a foreign layer")));

  two.denied = "PUT /v2/other/manifests";  // and what comes then is not the source's fault
  EXPECT_THROW(copy(place(one, "app"), "v1", place(two, "other"), {"v1"}), TargetFailure);
}

TEST_F(ImageCopy, refuses_indexes_nested_without_end) {
  for (const int depth : {5, 1000}) {
    Manifest inner = add_image(one, "app", "", {"a"});
    for (int i = 0; i < depth; ++i) {
      inner = add_index(one, "app", "v1", {{inner, ""}});
    }
    one.log.clear();

    EXPECT_EQ(
        error_of([&] { copy(place(one, "app"), "v1", place(two, "app"), {"v1"}); }),
        "unsupported\nerror: the image nests its indexes deeper than 4 levels\n");
    EXPECT_LT(one.log.size(), 10U);
  }
  EXPECT_TRUE(two.repositories["app"].tags.empty());
}

TEST_F(ImageCopy, refuses_an_index_that_is_said_to_be_in_itself) {
  const Digest digest = Digest::of("what it would have to be");
  const Manifest claimed{{testing::k_oci_index, digest, 164}, ""};
  const Manifest index = add_index(one, "app", "", {{claimed, ""}});
  Manifest lie = index;
  lie.descriptor.digest = digest;
  one.repositories["app"].manifests.insert_or_assign(digest.to_string(), lie);
  one.repositories["app"].tags["v1"] = index.descriptor.digest.to_string();
  const std::string name = "app@" + digest.to_string();

  EXPECT_EQ(
      error_of([&] { copy(place(one, "app"), "v1", place(two, "app"), {"v1"}); }),
      "corrupt_data\nerror: 'one.test' sent other bytes for '" + name + "' than their digest '" +
          digest.to_string() + "' says\n");

  EXPECT_LT(one.log.size(), 10U);
  EXPECT_EQ(two.count("PUT"), 0);
}

TEST_F(ImageCopy, says_whose_fault_it_is_when_a_layer_has_other_bytes_than_its_digest_says) {
  for (const std::size_t size : {5UL, 3'000'000UL}) {
    const std::string layer(size, 'x');
    add_image(one, "app", "v1", {layer});
    const Digest digest = Digest::of(layer);
    const std::string rotten(size, 'y');
    one.repositories["app"].blobs[digest.to_string()] = rotten;

    EXPECT_EQ(
        error_of([&] { copy(place(one, "app"), "v1", place(two, "app"), {"v1"}); }),
        "corrupt_data\nerror: 'one.test' sent the blob 'app@" + digest.to_string() +
            "' with other bytes: their digest is '" + Digest::of(rotten).to_string() +
            "'\n  while bringing blob '" + digest.to_string() + "' to 'two.test/app'\n");

    EXPECT_EQ(two.count("PUT", std::string(digest.hex())), 0) << "nothing of it is committed";
    EXPECT_TRUE(two.repositories["app"].tags.empty());
  }
}

TEST_F(ImageCopy, refuses_more_manifests_than_anybody_needs) {
  std::vector<std::pair<Manifest, std::string>> entries;
  for (int i = 0; i < 1001; ++i) {
    const std::string bytes = fmt::format("no manifest {}", i);
    entries.push_back({Manifest{{testing::k_oci_manifest, Digest::of(bytes), 9}, bytes}, ""});
  }
  add_index(one, "app", "v1", entries);

  EXPECT_EQ(
      error_of([&] { copy(place(one, "app"), "v1", place(two, "app"), {"v1"}); }),
      "too_large\nerror: the image has more manifests than any that is meant well\n");
  EXPECT_LT(two.log.size(), 10U);
}

TEST_F(ImageCopy, reads_no_manifest_beyond_its_limit) {
  std::string entries;
  const Descriptor blob{testing::k_oci_manifest, Digest::of("x"), 9};
  for (int i = 0; i < 1'000'000; ++i) {
    entries += (i == 0 ? "" : ",") + testing::part_json(blob);
  }
  one.add_manifest(
      "app",
      R"({"schemaVersion":2,"manifests":[)" + entries + "]}",
      testing::k_oci_index,
      "children");
  one.add_manifest(
      "app",
      R"({"schemaVersion":2,"manifests":[]})" + std::string(5UL << 20U, ' '),
      testing::k_oci_index,
      "long");
  for (const char* tag : {"children", "long"}) {
    EXPECT_EQ(
        error_of([&] { copy(place(one, "app"), tag, place(two, "app"), {"v1"}); }).substr(0, 9),
        "too_large")
        << tag;
  }
  EXPECT_EQ(two.count("PUT"), 0);
}

TEST_F(ImageCopy, adds_and_removes_tags_by_the_manifest_alone) {
  add_image(one, "app", "v1", {"base"});

  net::testing::run_on(io, mover.tag(Ctx{}, place(one, "app"), "v1", {"v2", "v3"}));
  net::testing::run_on(io, mover.untag(Ctx{}, place(one, "app"), {"v1"}));

  const auto& tags = one.repositories["app"].tags;
  EXPECT_EQ(tags.at("v2"), tags.at("v3"));
  EXPECT_FALSE(tags.contains("v1"));
  EXPECT_EQ(one.log.size(), 4U);
}

}  // namespace
}  // namespace freshet::oci
