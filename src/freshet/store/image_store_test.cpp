// SPDX-License-Identifier: Apache-2.0
#include "freshet/store/testing/contract.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace freshet::store {
namespace {

using model::ImageRecord;
using model::ImageTag;
using ::testing::ElementsAre;
using testing::error_of;

UnixTime at(long long milliseconds) {
  return UnixTime(std::chrono::milliseconds(milliseconds));
}

std::string image_id(char fill) {
  return std::string(64, fill);
}

ImageRecord image(const std::string& id, char fill, const std::string& name = "team/app") {
  ImageRecord out;
  out.id = id;
  out.internal_image_id = image_id(fill);
  out.image_name = name;
  out.created_at = at(1000);
  return out;
}

ImageTag tag(const std::string& name, const std::string& registry = "registry.example") {
  return {.registry = registry, .repository = "team/app", .tag = name, .integration = "prod"};
}

class ImageStoreContract : public testing::StoreContract {
 protected:
  std::vector<std::string> ids(const ImageFilter& filter = {}) {
    std::vector<std::string> out;
    for (const auto& found : reader().images().list(filter)) {
      out.push_back(found.id);
    }
    return out;
  }
  std::string id_found(const std::string& text) {
    const auto found = reader().images().find(text);
    return found ? found->id : "none";
  }
};

INSTANTIATE_TEST_SUITE_P(Handles, ImageStoreContract, ::testing::Bool(), testing::handle_name);

TEST_P(ImageStoreContract, gives_back_every_field) {
  ImageRecord wanted = image("i1", 'a');
  wanted.repo_digest = "registry.example/team/app@sha256:" + image_id('d');
  wanted.size_bytes = 7'000'000'000;
  wanted.os = "linux";
  wanted.architecture = "arm64";
  wanted.hash = std::string(40, 'b');
  wanted.dockerfile = "FROM alpine\nRUN echo 'ü'\n";
  wanted.layers = {
      {.instruction = "COPY . /src",
       .size_bytes = 5'000'000'000,
       .digest = "sha256:" + image_id('1')},
      {.instruction = "ENV A=b", .size_bytes = 0, .digest = ""}};
  wanted.tags = {tag("v2"), tag("v1")};
  wanted.git = {
      "owner", "repo", "main", "0123abcd", "Ann", "fix: it\n\nbody", "https://git.example/c"};
  wanted.build_id = "b1";
  wanted.pipeline = "team/ci";
  wanted.step = "build";
  wanted.build_duration_ms = 4'000'000'000;
  wanted.push_duration_ms = 12;
  writer().images().put(wanted);
  const auto found = reader().images().find("i1");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->internal_image_id, image_id('a'));
  EXPECT_EQ(found->image_name, "team/app");
  EXPECT_EQ(found->repo_digest, wanted.repo_digest);
  EXPECT_EQ(found->hash, wanted.hash);
  EXPECT_EQ(found->created_at, at(1000));
  EXPECT_EQ(found->size_bytes, 7'000'000'000u);
  EXPECT_EQ(found->os, "linux");
  EXPECT_EQ(found->architecture, "arm64");
  EXPECT_EQ(found->dockerfile, wanted.dockerfile);
  ASSERT_EQ(found->layers.size(), 2u);
  EXPECT_EQ(found->layers[0].instruction, "COPY . /src");
  EXPECT_EQ(found->layers[0].size_bytes, 5'000'000'000u);
  EXPECT_EQ(found->layers[0].digest, "sha256:" + image_id('1'));
  EXPECT_EQ(found->layers[1].instruction, "ENV A=b");
  EXPECT_THAT(found->tags, ElementsAre(tag("v2"), tag("v1")));
  EXPECT_EQ(found->git.repo_owner, "owner");
  EXPECT_EQ(found->git.repo_name, "repo");
  EXPECT_EQ(found->git.branch, "main");
  EXPECT_EQ(found->git.revision, "0123abcd");
  EXPECT_EQ(found->git.commit_author, "Ann");
  EXPECT_EQ(found->git.commit_message, "fix: it\n\nbody");
  EXPECT_EQ(found->git.commit_url, "https://git.example/c");
  EXPECT_EQ(found->build_id, "b1");
  EXPECT_EQ(found->pipeline, "team/ci");
  EXPECT_EQ(found->step, "build");
  EXPECT_EQ(found->build_duration_ms, 4'000'000'000);
  EXPECT_EQ(found->push_duration_ms, 12);
}

TEST_P(ImageStoreContract, chooses_an_id_when_there_is_none) {
  writer().images().put(image("", 'a'));
  EXPECT_EQ(id_found(image_id('a')).size(), 24u);
}

TEST_P(ImageStoreContract, finds_images_by_what_they_were_built_of_newest_first) {
  const std::string hash(40, 'e');
  for (char fill = 'a'; fill <= 'f'; ++fill) {
    ImageRecord record = image(std::string("i-") + fill, fill);
    record.hash = hash;
    record.created_at = at(fill == 'c' ? 2000 : 1000);
    writer().images().put(record);
  }
  writer().images().put(image("other", '1'));
  std::vector<std::string> found;
  for (const ImageRecord& record : reader().images().list_by_hash(hash)) {
    found.push_back(record.id);
  }
  EXPECT_THAT(found, ElementsAre("i-c", "i-f", "i-e", "i-d", "i-b"));
  EXPECT_TRUE(reader().images().list_by_hash(std::string(40, 'd')).empty());
  EXPECT_TRUE(reader().images().list_by_hash("").empty());
}

TEST_P(ImageStoreContract, keeps_the_hash_of_an_image_that_is_recorded_without_one) {
  ImageRecord record = image("i1", 'a');
  record.hash = std::string(40, 'e');
  writer().images().put(record);
  writer().images().put(image("i1", 'a'));
  EXPECT_EQ(reader().images().find("i1")->hash, record.hash);
  record.hash = std::string(40, 'f');
  writer().images().put(record);
  EXPECT_EQ(reader().images().find("i1")->hash, record.hash);
}

TEST_P(ImageStoreContract, keeps_one_record_for_an_image_that_is_built_again) {
  ImageRecord first = image("i1", 'a');
  first.tags = {tag("v1")};
  first.layers = {{"RUN a", 0, ""}, {"RUN b", 0, ""}};
  first.repo_digest = "registry.example/team/app@sha256:1";
  writer().images().put(first);
  ImageRecord second = image("i2", 'a', "team/renamed");
  second.tags = {tag("v2")};
  second.layers = {{"RUN c", 0, ""}};
  second.build_id = "b2";
  writer().images().put(second);
  ASSERT_THAT(ids(), ElementsAre("i1"));
  const ImageRecord found = reader().images().list({}).at(0);
  EXPECT_EQ(found.image_name, "team/renamed");
  EXPECT_EQ(found.build_id, "b2");
  EXPECT_THAT(found.tags, ElementsAre(tag("v1"), tag("v2")));
  ASSERT_EQ(found.layers.size(), 1u);
  EXPECT_EQ(found.layers[0].instruction, "RUN c");
  EXPECT_EQ(found.repo_digest, "registry.example/team/app@sha256:1") << "nothing was pushed anew";
}

TEST_P(ImageStoreContract, moves_a_tag_to_the_image_that_got_it_last) {
  ImageRecord first = image("i1", 'a');
  first.tags = {tag("latest"), tag("v1")};
  writer().images().put(first);
  writer().images().put(image("i2", 'b'));
  writer().images().add_tag(image_id('b'), tag("latest"), "");
  EXPECT_THAT(reader().images().find("i1")->tags, ElementsAre(tag("v1")));
  EXPECT_THAT(reader().images().find("i2")->tags, ElementsAre(tag("latest")));
  ImageRecord third = image("i3", 'c');
  third.tags = {tag("latest")};
  writer().images().put(third);
  EXPECT_TRUE(reader().images().find("i2")->tags.empty());
}

TEST_P(ImageStoreContract, adds_a_tag_with_the_digest_of_its_push) {
  writer().images().put(image("i1", 'a'));
  writer().images().add_tag(image_id('a'), tag("v1"), "registry.example/team/app@sha256:1");
  writer().images().add_tag(image_id('a'), tag("v1", "other.example"), "");
  const auto found = reader().images().find("i1");
  EXPECT_THAT(found->tags, ElementsAre(tag("v1"), tag("v1", "other.example")));
  EXPECT_EQ(found->repo_digest, "registry.example/team/app@sha256:1");
}

TEST_P(ImageStoreContract, refuses_a_tag_for_an_image_without_a_record) {
  EXPECT_EQ(
      error_of([&] { writer().images().add_tag("feed", tag("v1"), ""); }),
      "not_found\nerror: there is no record of image 'feed'\n");
}

TEST_P(ImageStoreContract, removes_one_tag_whoever_pushed_it) {
  ImageRecord record = image("i1", 'a');
  record.tags = {tag("latest"), tag("v1"), tag("v1", "other.example")};
  writer().images().put(record);
  model::ImageTag without_integration = tag("v1");
  without_integration.integration.clear();
  writer().images().remove_tag(without_integration);
  writer().images().remove_tag(tag("never-there"));
  EXPECT_THAT(
      reader().images().find("i1")->tags, ElementsAre(tag("latest"), tag("v1", "other.example")));
}

TEST_P(ImageStoreContract, lists_the_newest_first) {
  ImageRecord old = image("old", 'a');
  old.created_at = at(10);
  ImageRecord first = image("first", 'b');
  ImageRecord second = image("second", 'c');
  for (const ImageRecord& record : {first, old, second}) {
    writer().images().put(record);
  }
  EXPECT_THAT(ids(), ElementsAre("second", "first", "old"));
}

TEST_P(ImageStoreContract, lists_what_the_filter_lets_through) {
  writer().images().put(image("i1", 'a', "team/app"));
  writer().images().put(image("i2", 'b', "team/web"));
  writer().images().put(image("i3", 'c', "a%b_c"));
  EXPECT_THAT(ids({.name = "team"}), ElementsAre("i2", "i1"));
  EXPECT_THAT(ids({.name = "m/a"}), ElementsAre("i1"));
  EXPECT_THAT(ids({.name = "%"}), ElementsAre("i3"));
  EXPECT_THAT(ids({.name = "_"}), ElementsAre("i3"));
  EXPECT_THAT(ids({.name = "nope"}), ElementsAre());
  EXPECT_THAT(ids({.name = "", .limit = 2}), ElementsAre("i3", "i2"));
  EXPECT_THAT(
      ids({.name = "", .limit = std::numeric_limits<std::size_t>::max()}),
      ElementsAre("i3", "i2", "i1"));
}

TEST_P(ImageStoreContract, finds_by_each_name_of_an_image) {
  ImageRecord wanted = image("i1", 'a');
  wanted.internal_image_id = "0123456789ab" + std::string(52, 'f');
  wanted.tags = {tag("v1", "registry.example:5000")};
  writer().images().put(wanted);
  for (const std::string& text :
       {std::string("i1"),
        wanted.internal_image_id,
        "sha256:" + wanted.internal_image_id,
        std::string("0123456789ab"),
        std::string("sha256:0123456789AB"),
        std::string("registry.example:5000/team/app:v1"),
        std::string("team/app:v1")}) {
    EXPECT_EQ(id_found(text), "i1") << text;
  }
}

TEST_P(ImageStoreContract, finds_nothing_by_less) {
  ImageRecord wanted = image("i1", 'a');
  wanted.tags = {tag("v1", "registry.example:5000")};
  writer().images().put(wanted);
  for (const char* text :
       {"",
        "aaaaaaaaaaa",
        "sha256:aaaaaaaaaaa",
        "zzzzzzzzzzzzzz",
        "registry.example:5000/team/app",
        "registry.example:5000/team/app:v2",
        "team/app",
        "team/app:v2",
        "app:v1",
        ":",
        "%"}) {
    EXPECT_EQ(id_found(text), "none") << text;
  }
}

TEST_P(ImageStoreContract, finds_nothing_when_a_name_fits_several) {
  ImageRecord first = image("i1", 'a');
  first.internal_image_id = std::string(12, 'a') + std::string(52, 'b');
  first.tags = {tag("v1")};
  ImageRecord second = image("i2", 'a');
  second.internal_image_id = std::string(12, 'a') + std::string(52, 'c');
  second.tags = {tag("v1", "other.example")};
  writer().images().put(first);
  writer().images().put(second);
  EXPECT_EQ(id_found(std::string(12, 'a')), "none");
  EXPECT_EQ(id_found(std::string(12, 'a') + "b"), "i1");
  EXPECT_EQ(id_found("team/app:v1"), "none");
  EXPECT_EQ(id_found("other.example/team/app:v1"), "i2");
}

TEST_P(ImageStoreContract, finds_one_image_with_one_tag_in_two_registries) {
  ImageRecord wanted = image("i1", 'a');
  wanted.tags = {tag("v1"), tag("v1", "other.example")};
  writer().images().put(wanted);
  EXPECT_EQ(id_found("team/app:v1"), "i1");
}

}  // namespace
}  // namespace freshet::store
