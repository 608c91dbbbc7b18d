// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/choice.hpp"

#include "freshet/cache/testing/histories.hpp"
#include "freshet/store/testing/memory_cache_index.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace freshet::cache {
namespace {

using store::CacheReader;
using store::testing::MemoryCacheIndex;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::make_key;
using namespace std::chrono_literals;

KeyNode node(std::uint64_t key, std::vector<std::size_t> parents, std::size_t stage = 0) {
  KeyNode out;
  out.key = make_key({key});
  out.parents = std::move(parents);
  out.cost = 10s;
  out.stage = stage;
  out.line = key;
  return out;
}

/// Stage `build`: 1, 2, 3, each of the one before; stage `app`: 4, and 5, which takes from 3.
KeyGraph two_stages() {
  KeyGraph graph;
  graph.stages = {"build", "app"};
  graph.nodes = {node(1, {}), node(2, {0}), node(3, {1}), node(4, {}, 1), node(5, {3, 2}, 1)};
  graph.targets = {4};
  return graph;
}

model::PastImage image(const std::string& id, const std::vector<std::uint64_t>& keys) {
  model::PastImage out;
  out.id = id;
  out.platform = "linux/amd64";
  out.pipeline = "team/app";
  out.branch = "main";
  out.copies = {{"registry.example", "team/app", "sha256:" + id, UnixTime(1s)}};
  for (const std::uint64_t key : keys) {
    out.instructions.push_back({make_key({key}), std::nullopt, true, "", 0});
  }
  return out;
}

CacheReader reader() {
  return {"linux/amd64", "", "team/app", "main"};
}

std::vector<std::string> ids(const Choice& choice) {
  std::vector<std::string> out;
  for (const Source& source : choice.sources) {
    out.push_back(source.image.id);
  }
  return out;
}

class Choosing : public ::testing::Test {
 protected:
  void record(const std::vector<model::PastImage>& images) {
    for (const auto& past : images) {
      index_.record(past);
    }
  }
  Choice choose(const ChoiceRules& rules = ChoiceRules()) {
    return choose_sources(graph_, reader_, index_, rules);
  }

  MemoryCacheIndex index_;
  KeyGraph graph_ = two_stages();
  CacheReader reader_ = reader();
};

TEST_F(Choosing, finds_nothing_where_no_key_is_known) {
  record({image("other", {71, 72})});
  const Choice choice = choose();
  EXPECT_THAT(ids(choice), IsEmpty());
  EXPECT_EQ(choice.needed, (Savings{50s, 5}));
  EXPECT_EQ(choice.saved, Savings());
  ASSERT_EQ(choice.misses.size(), 2u);
  EXPECT_EQ(choice.misses[0].node, 0u);
  EXPECT_EQ(choice.misses[1].node, 3u);
}

TEST_F(Choosing, counts_what_is_below_a_result_as_spared_by_it) {
  record({image("deep", {3})});
  const Choice choice = choose();
  ASSERT_THAT(ids(choice), ElementsAre("deep"));
  EXPECT_THAT(choice.sources[0].nodes, ElementsAre(0, 1, 2));
  EXPECT_EQ(choice.sources[0].savings, (Savings{30s, 3}));
}

TEST_F(Choosing, prefers_time_to_age_and_branch) {
  auto far = image("far", {1, 2});
  far.branch = "feature";
  far.pipeline = "other/app";
  record({far, image("near", {1}), image("nearest", {4})});
  EXPECT_THAT(ids(choose({1, 1s})), ElementsAre("far"));
}

TEST_F(Choosing, takes_a_second_one_for_what_the_first_lacks) {
  record({image("build", {1, 2, 3}), image("app", {1, 4})});
  const Choice choice = choose();
  ASSERT_THAT(ids(choice), ElementsAre("build", "app"));
  EXPECT_THAT(choice.sources[1].nodes, ElementsAre(3));
  EXPECT_EQ(choice.saved, (Savings{40s, 4}));
  ASSERT_EQ(choice.misses.size(), 1u);
  EXPECT_EQ(choice.misses[0].node, 4u);
  EXPECT_FALSE(choice.misses[0].is_offered_elsewhere);
}

TEST_F(Choosing, takes_a_second_one_only_where_it_adds_a_second) {
  record({image("build", {1, 2, 3}), image("app", {4})});
  graph_.nodes[3].cost = 999ms;
  const Choice choice = choose();
  EXPECT_THAT(ids(choice), ElementsAre("build"));
  EXPECT_EQ(choice.misses.at(0).node, 3u);
  EXPECT_TRUE(choice.misses.at(0).is_offered_elsewhere);
  graph_.nodes[3].cost = 1000ms;
  EXPECT_THAT(ids(choose()), ElementsAre("build", "app"));
}

TEST_F(Choosing, takes_as_many_as_it_is_told) {
  graph_.nodes = {node(1, {}), node(2, {}), node(3, {}), node(5, {0, 1, 2}, 1)};
  graph_.targets = {3};
  record({image("one", {1}), image("two", {2}), image("three", {3})});
  EXPECT_THAT(ids(choose({0, 1s})), IsEmpty());
  EXPECT_THAT(ids(choose({1, 1s})), ElementsAre("three"));
  EXPECT_THAT(ids(choose()), ElementsAre("three", "two"));
  EXPECT_THAT(ids(choose({3, 1s})), ElementsAre("three", "two", "one"));
}

TEST_F(Choosing, leaves_out_what_the_target_does_not_need) {
  graph_.targets = {3};
  record({image("build", {1, 2, 3})});
  const Choice choice = choose();
  EXPECT_THAT(ids(choice), IsEmpty());
  EXPECT_EQ(choice.needed, (Savings{10s, 1}));
}

TEST_F(Choosing, decides_equal_times_by_layers_then_branch_then_age) {
  for (auto& each : graph_.nodes) {
    each.cost = 0ms;
  }
  auto elsewhere = image("elsewhere", {1, 2});
  elsewhere.branch = "feature";
  record({image("fewer", {1})});
  EXPECT_THAT(ids(choose()), ElementsAre("fewer"));
  record({elsewhere});
  EXPECT_THAT(ids(choose()), ElementsAre("elsewhere"));
  record({image("same", {1, 2})});
  EXPECT_THAT(ids(choose()), ElementsAre("same"));
  elsewhere.id = "elsewhere-newer";
  record({elsewhere});
  EXPECT_THAT(ids(choose()), ElementsAre("same"));
  record({image("same-newer", {1, 2})});
  EXPECT_THAT(ids(choose()), ElementsAre("same-newer"));
}

TEST_F(Choosing, takes_the_branch_of_another_pipeline_for_another_branch) {
  auto other = image("other", {1, 2});
  other.pipeline = "other/app";
  record({image("own", {1, 2}), other});
  EXPECT_THAT(ids(choose()), ElementsAre("own"));
}

TEST_F(Choosing, takes_no_image_of_another_platform_and_none_that_was_not_seen) {
  auto arm = image("arm", {1, 2, 3});
  arm.platform = "linux/arm64";
  auto lost = image("lost", {1, 2, 3});
  lost.copies[0].confirmed_at.reset();
  record({arm, lost});
  EXPECT_THAT(ids(choose()), IsEmpty());
  index_.set_confirmed("lost", lost.copies[0], UnixTime(2s));
  EXPECT_THAT(ids(choose()), ElementsAre("lost"));
  index_.set_confirmed("lost", lost.copies[0], std::nullopt);
  EXPECT_THAT(ids(choose()), IsEmpty());
}

TEST_F(Choosing, shows_untrusted_images_to_their_own_scope_alone) {
  auto fork = image("fork", {1, 2, 3, 4, 5});
  fork.trust_scope = "fork/a";
  record({fork, image("trusted", {1})});
  EXPECT_THAT(ids(choose()), ElementsAre("trusted"));
  reader_.trust_scope = "fork/b";
  EXPECT_THAT(ids(choose()), ElementsAre("trusted"));
  reader_.trust_scope = "fork/a";
  EXPECT_THAT(ids(choose()), ElementsAre("fork"));
}

/// Shows images to those who may not see them.
class LeakyIndex : public MemoryCacheIndex {
 public:
  void read(const CacheReader&, const Work& work) override {
    MemoryCacheIndex::read({"linux/amd64", "fork/a", "team/app", "main"}, work);
  }
};

TEST_F(Choosing, does_not_rest_on_the_index_alone_for_trust) {
  LeakyIndex index;
  auto fork = image("fork", {1, 2, 3, 4, 5});
  fork.trust_scope = "fork/a";
  index.record(fork);
  index.record(image("trusted", {1}));
  EXPECT_THAT(ids(choose_sources(graph_, reader_, index)), ElementsAre("trusted"));
}

TEST_F(Choosing, takes_costs_from_the_index_where_the_graph_has_none) {
  auto slow = image("slow", {4});
  slow.instructions[0].cost = 90s;
  record({slow, image("deep", {1, 2, 3})});
  EXPECT_THAT(ids(choose({1, 1s})), ElementsAre("deep"));
  graph_.nodes[3].cost.reset();
  EXPECT_THAT(ids(choose({1, 1s})), ElementsAre("slow"));
}

TEST_F(Choosing, looks_past_popular_results_for_an_image_that_has_two_rare_ones) {
  record({image("both", {1, 2, 3, 4})});
  for (int number = 0; number < 40; ++number) {
    record({image(fmt::format("build{}", number), {1, 2, 3})});
    record({image(fmt::format("app{}", number), {1, 4})});
  }
  const Choice choice = choose();
  EXPECT_THAT(ids(choice), ElementsAre("both"));
  EXPECT_FALSE(choice.is_cut_short);
}

TEST_F(Choosing, of_two_equal_instructions_spares_both) {
  graph_.nodes[3].key = graph_.nodes[0].key;
  record({image("one", {1})});
  const Choice choice = choose();
  ASSERT_THAT(ids(choice), ElementsAre("one"));
  EXPECT_THAT(choice.sources[0].nodes, ElementsAre(0, 3));
}

TEST_F(Choosing, of_an_empty_graph_is_empty) {
  graph_ = KeyGraph();
  record({image("one", {1})});
  EXPECT_THAT(ids(choose()), IsEmpty());
}

}  // namespace
}  // namespace freshet::cache
