// SPDX-License-Identifier: Apache-2.0
#include "freshet/store/cache_index.hpp"

#include "freshet/store/testing/contract.hpp"
#include "freshet/store/testing/past_images.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <limits>

namespace freshet::store {
namespace {

using model::PastImage;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::key_of;
using testing::past_image;
using namespace std::chrono_literals;

constexpr ImageNumber k_newest = std::numeric_limits<ImageNumber>::max();

CacheReader trusted_reader() {
  return {"linux/amd64", "", "team/app", "main"};
}

/// Ids of the images that offer the result of a key, newest first.
std::vector<std::string> holders_of(
    CacheIndex& index, std::uint8_t key, const CacheReader& reader = trusted_reader()) {
  std::vector<std::string> ids;
  index.read(reader, [&](CacheView& view) {
    view.find_keys({key_of(key)});
    for (const ImageNumber number : view.list_holders(0, k_newest, 100)) {
      ids.push_back(view.load_image(number).id);
    }
  });
  return ids;
}

std::optional<PastImage> newest_holder(CacheIndex& index, std::uint8_t key) {
  std::optional<PastImage> out;
  index.read(trusted_reader(), [&](CacheView& view) {
    view.find_keys({key_of(key)});
    for (const ImageNumber number : view.list_holders(0, k_newest, 1)) {
      out = view.load_image(number);
    }
  });
  return out;
}

std::optional<std::chrono::milliseconds> cost_of(
    CacheIndex& index, std::uint8_t key, const CacheReader& reader = trusted_reader()) {
  std::optional<std::chrono::milliseconds> cost;
  index.read(reader, [&](CacheView& view) {
    const auto known = view.find_keys({key_of(key)});
    cost = known[0] ? known[0]->cost : std::nullopt;
  });
  return cost;
}

class CacheIndexContract : public testing::StoreContract {
 protected:
  void record(const PastImage& image) { writer().cache_index().record(image); }
  CacheIndex& seen() { return reader().cache_index(); }
};

INSTANTIATE_TEST_SUITE_P(Handles, CacheIndexContract, ::testing::Bool(), testing::handle_name);

TEST_P(CacheIndexContract, keeps_everything_of_an_image) {
  PastImage image = past_image("a", {1, 2});
  image.trust_scope = "fork/a";
  image.copies.push_back({"cache.example", "team/app", "sha256:b", std::nullopt});
  image.instructions[1].is_offered = false;
  image.instructions[1].diff_id.clear();
  record(image);
  PastImage found;
  seen().read({"linux/amd64", "fork/a", "", ""}, [&](CacheView& view) {
    view.find_keys({key_of(1)});
    found = view.load_image(view.list_holders(0, k_newest, 1).at(0));
  });
  std::ranges::sort(found.copies, {}, &model::ImageCopy::registry);
  std::ranges::sort(image.copies, {}, &model::ImageCopy::registry);
  EXPECT_EQ(found, image);
}

TEST_P(CacheIndexContract, lists_holders_newest_first_in_pieces) {
  for (const char* id : {"a", "b", "c"}) {
    record(past_image(id, {1}));
  }
  record(past_image("other", {2}));
  EXPECT_THAT(holders_of(seen(), 1), ElementsAre("c", "b", "a"));
  seen().read(trusted_reader(), [](CacheView& view) {
    view.find_keys({key_of(9), key_of(1)});
    const auto first = view.list_holders(1, k_newest, 2);
    ASSERT_EQ(first.size(), 2u);
    const auto rest = view.list_holders(1, first.back(), 2);
    ASSERT_EQ(rest.size(), 1u);
    EXPECT_EQ(view.load_image(rest[0]).id, "a");
    EXPECT_THAT(view.list_holders(0, k_newest, 2), IsEmpty());
  });
}

TEST_P(CacheIndexContract, tells_what_an_image_has_of_the_keys_looked_for) {
  auto image = past_image("a", {5, 3, 4});
  image.instructions[2].is_offered = false;
  record(image);
  seen().read(trusted_reader(), [](CacheView& view) {
    view.find_keys({key_of(4), key_of(3), key_of(9), key_of(5)});
    const ImageOffer offer = view.load_offer(view.list_of_branch(1).at(0));
    EXPECT_THAT(offer.keys, ElementsAre(1, 3));
    EXPECT_TRUE(offer.is_of_branch);
    EXPECT_EQ(offer.created_at, past_image("", {}).created_at);
  });
}

TEST_P(CacheIndexContract, lists_those_of_the_readers_own_branch) {
  auto feature = past_image("feature", {1});
  feature.branch = "feature";
  auto other = past_image("other", {1});
  other.pipeline = "other/app";
  record(past_image("main", {1}));
  record(feature);
  record(other);
  seen().read(trusted_reader(), [](CacheView& view) {
    view.find_keys({key_of(1)});
    const auto own = view.list_of_branch(10);
    ASSERT_EQ(own.size(), 1u);
    EXPECT_EQ(view.load_image(own[0]).id, "main");
    for (const ImageNumber number : view.list_holders(0, k_newest, 2)) {
      EXPECT_FALSE(view.load_offer(number).is_of_branch);
    }
  });
}

TEST_P(CacheIndexContract, shows_an_image_while_a_registry_is_known_to_have_it) {
  auto image = past_image("a", {1});
  image.copies.push_back({"cache.example", "team/app", "sha256:a", std::nullopt});
  record(past_image("old", {1}));
  record(image);
  writer().cache_index().set_confirmed("a", image.copies[0], std::nullopt);
  EXPECT_THAT(holders_of(seen(), 1), ElementsAre("old"));  // the next one takes its place
  writer().cache_index().set_confirmed("a", image.copies[1], UnixTime(5s));
  EXPECT_THAT(holders_of(seen(), 1), ElementsAre("a", "old"));
  writer().cache_index().set_confirmed("a", {"no.example", "", "", {}}, UnixTime(6s));
  writer().cache_index().set_confirmed("none", image.copies[1], std::nullopt);
  const auto found = newest_holder(seen(), 1);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->copies.size(), 2u);
  EXPECT_EQ(found->copies[0].registry, "cache.example");
  EXPECT_EQ(found->copies[0].confirmed_at, UnixTime(5s));
  EXPECT_EQ(found->copies[1].confirmed_at, std::nullopt);
}

TEST_P(CacheIndexContract, keeps_platforms_and_trust_apart) {
  auto fork = past_image("fork", {1});
  fork.trust_scope = "fork/a";
  auto arm = past_image("arm", {1});
  arm.platform = "linux/arm64";
  record(past_image("trusted", {1}));
  record(fork);
  record(arm);
  EXPECT_THAT(holders_of(seen(), 1), ElementsAre("trusted"));
  EXPECT_THAT(
      holders_of(seen(), 1, {"linux/amd64", "fork/a", "", ""}), ElementsAre("fork", "trusted"));
  EXPECT_THAT(holders_of(seen(), 1, {"linux/amd64", "fork/b", "", ""}), ElementsAre("trusted"));
  EXPECT_THAT(holders_of(seen(), 1, {"linux/arm64", "", "", ""}), ElementsAre("arm"));
  EXPECT_THAT(holders_of(seen(), 1, {"windows/amd64", "", "", ""}), IsEmpty());
}

TEST_P(CacheIndexContract, lets_an_untrusted_build_change_nothing_of_a_trusted_image) {
  record(past_image("a", {1}));
  auto fork = past_image("a", {1, 2});
  fork.trust_scope = "fork/a";
  fork.created_at += 1h;
  fork.instructions[0].cost = 99s;
  fork.copies[0].registry = "evil.example";
  record(fork);
  EXPECT_EQ(newest_holder(seen(), 1), past_image("a", {1}));
  EXPECT_THAT(holders_of(seen(), 2), IsEmpty());
  EXPECT_EQ(cost_of(seen(), 1), 1s);
  EXPECT_EQ(cost_of(seen(), 1, {"linux/amd64", "fork/a", "", ""}), 99s);
}

TEST_P(CacheIndexContract, merges_what_is_recorded_of_one_image) {
  auto again = past_image("a", {2, 3});
  again.branch = "feature";
  again.copies[0].registry = "cache.example";
  record(past_image("a", {1, 2}));
  record(past_image("b", {2}));
  record(again);
  EXPECT_THAT(holders_of(seen(), 1), ElementsAre("a"));
  EXPECT_THAT(holders_of(seen(), 2), ElementsAre("a", "b"));
  const auto found = newest_holder(seen(), 3);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->branch, "feature");
  EXPECT_EQ(found->copies.size(), 2u);
  EXPECT_EQ(found->instructions.size(), 3u);
}

TEST_P(CacheIndexContract, remembers_the_cost_that_was_measured_last) {
  auto early = past_image("early", {1});
  early.created_at -= 1h;
  early.instructions[0].cost = 50s;
  auto cached = past_image("cached", {1, 2});
  cached.created_at += 1h;
  cached.instructions[0].cost.reset();
  cached.instructions[1].cost.reset();
  record(past_image("a", {1}));
  record(early);
  record(cached);
  EXPECT_EQ(cost_of(seen(), 1), 1s);
  EXPECT_EQ(cost_of(seen(), 2), std::nullopt);
  auto slower = past_image("slower", {1});
  slower.created_at += 2h;
  slower.instructions[0].cost = 70s;
  slower.instructions[0].diff_id = past_image("", {7}).instructions[0].diff_id;
  record(slower);
  EXPECT_EQ(cost_of(seen(), 1), 70s);
  record(past_image("later", {1}));
  EXPECT_EQ(cost_of(seen(), 1), 70s);
}

TEST_P(CacheIndexContract, keeps_the_layers_of_two_images_with_one_key_apart) {
  auto other = past_image("other", {1});
  other.instructions[0].diff_id = past_image("", {7}).instructions[0].diff_id;
  record(past_image("a", {1}));
  record(other);
  EXPECT_THAT(holders_of(seen(), 1), ElementsAre("other", "a"));
  EXPECT_EQ(newest_holder(seen(), 1)->instructions, other.instructions);
}

TEST_P(CacheIndexContract, refuses_what_is_no_digest_and_records_nothing_of_it) {
  auto image = past_image("a", {1, 2});
  image.instructions[1].diff_id = "sha256:zz";
  EXPECT_EQ(
      testing::error_of([&] { record(image); }),
      "invalid_input\nerror: 'sha256:zz' is no SHA-256 digest of a layer\n");
  EXPECT_THAT(holders_of(seen(), 1), IsEmpty());
}

TEST(CacheIndexTables, are_empty_once_every_image_is_forgotten) {
  testing::TempDataDirectory directory;
  CacheIndex& index = directory->cache_index();
  auto fork = past_image("c", {1, 2});
  fork.trust_scope = "fork/a";
  auto lost = past_image("b", {2, 3});
  lost.copies[0].confirmed_at.reset();
  for (const auto& image : {past_image("a", {1, 2}), lost, fork, past_image("a", {4})}) {
    index.record(image);
  }
  index.forget("a");
  EXPECT_THAT(holders_of(index, 1), IsEmpty());
  EXPECT_EQ(cost_of(index, 1), std::nullopt);
  EXPECT_EQ(cost_of(index, 2), 2s);  // of the one that is in no registry now
  for (const char* id : {"b", "c", "none"}) {
    index.forget(id);
  }
  soci::session session(
      soci::sqlite3, "db=\"" + (directory.directory() / "freshet.db").string() + "\"");
  for (const char* table : {"scopes", "branches", "results", "images", "copies", "holders"}) {
    int rows = -1;
    session << fmt::format("SELECT count(*) FROM cache_{}", table), soci::into(rows);
    EXPECT_EQ(rows, 0) << table;
  }
}

}  // namespace
}  // namespace freshet::store
