// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/choice.hpp"
#include "freshet/cache/testing/histories.hpp"
#include "freshet/store/testing/memory_cache_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <tuple>

namespace freshet::cache {
namespace {

using store::CacheReader;
using store::testing::MemoryCacheIndex;
using testing::History;

/// What each image that the reader may see holds of the graph, by looking at all of them.
struct AllImages {
  struct Held {
    NodeSet nodes;
    bool is_of_branch;
    UnixTime created_at;
    std::string id;
  };

  AllImages(const KeyGraph& graph, const MemoryCacheIndex& index, const CacheReader& reader) {
    for (const auto& [number, image] : index.visible(reader)) {
      NodeSet nodes(graph.nodes.size());
      for (std::size_t node = 0; node < nodes.size(); ++node) {
        nodes[node] = MemoryCacheIndex::offers(image, graph.nodes[node].key);
      }
      const bool is_of_branch = image.pipeline == reader.pipeline && image.branch == reader.branch;
      images.push_back({nodes, is_of_branch, image.created_at, image.id});
    }
  }

  Savings best_single(const CostedGraph& costed) const {
    Savings best;
    for (const Held& held : images) {
      best = std::max(best, costed.cover(held.nodes).savings);
    }
    return best;
  }

  /// The one that all the rules together name; empty: none is of use.
  std::string best_id(const CostedGraph& costed) const {
    std::tuple<Savings, bool, UnixTime, std::string> best;
    for (const Held& held : images) {
      const Savings savings = costed.cover(held.nodes).savings;
      if (savings > Savings()) {
        best = std::max(best, std::tuple(savings, held.is_of_branch, held.created_at, held.id));
      }
    }
    return std::get<3>(best);
  }

  std::chrono::milliseconds best_pair(const CostedGraph& costed) const {
    std::set<NodeSet> distinct;
    for (const Held& held : images) {
      distinct.insert(held.nodes);
    }
    std::chrono::milliseconds best{};
    for (auto one = distinct.begin(); one != distinct.end(); ++one) {
      for (auto other = one; other != distinct.end(); ++other) {
        best = std::max(best, costed.cover(unite(*one, *other)).savings.time);
      }
    }
    return best;
  }

  std::vector<Held> images;
};

/// Costs that the index does not have to supply.
CostedGraph give_costs(KeyGraph& graph, std::uint64_t seed) {
  std::mt19937_64 chance(seed);
  std::vector<std::chrono::milliseconds> costs;
  for (KeyNode& node : graph.nodes) {
    node.cost = std::chrono::milliseconds(1 << chance() % 17);
    costs.push_back(*node.cost);
  }
  return {graph, costs};
}

model::PastImage past_image(History& history, int number) {
  auto image = history.image(fmt::format("{}", number), history.below(2) == 0);
  image.platform = history.below(8) == 0 ? "linux/arm64" : "linux/amd64";
  image.trust_scope = history.below(6) == 0 ? fmt::format("fork{}", history.below(2)) : "";
  image.pipeline = history.below(4) == 0 ? "other/app" : "team/app";
  if (history.below(8) == 0) {
    image.copies[0].confirmed_at.reset();
  }
  return image;
}

CacheReader reader_of(History& history) {
  CacheReader reader{"linux/amd64", "", "team/app", history.branch()};
  reader.trust_scope = history.below(4) == 0 ? "fork0" : "";
  return reader;
}

/// Gives every build of many histories to `check(graph, costed, index, reader)`, each with what the
/// builds before it left.
template <class Check>
void replay(int histories, int commits, Check check) {
  for (int seed = 1; seed <= histories; ++seed) {
    History history(static_cast<std::uint64_t>(seed));
    MemoryCacheIndex index;
    for (int number = 0; number < commits; ++number) {
      history.commit();
      KeyGraph graph = history.graph();
      const CostedGraph costed = give_costs(graph, static_cast<std::uint64_t>(seed));
      check(graph, costed, index, reader_of(history));
      index.record(past_image(history, number));
    }
  }
}

TEST(ChoiceOverHistories, of_one_source_is_the_best_that_there_is) {
  int cases = 0;
  replay(60, 80, [&](const auto& graph, const auto& costed, auto& index, const auto& reader) {
    const AllImages all(graph, index, reader);
    const Choice choice = choose_sources(graph, reader, index, {1, {}});
    ++cases;
    EXPECT_FALSE(choice.is_cut_short);
    EXPECT_EQ(choice.saved, all.best_single(costed));
    EXPECT_EQ(choice.sources.empty() ? "" : choice.sources[0].image.id, all.best_id(costed));
  });
  EXPECT_EQ(cases, 4800);
}

TEST(ChoiceOverHistories, of_one_source_is_as_good_as_the_best_of_hundreds) {
  replay(5, 400, [&](const auto& graph, const auto& costed, auto& index, const auto& reader) {
    const Choice choice = choose_sources(graph, reader, index, {1, {}});
    EXPECT_FALSE(choice.is_cut_short);
    EXPECT_EQ(choice.saved, AllImages(graph, index, reader).best_single(costed));
  });
}

/// Images that hold anything of anything, as no build leaves them.
model::PastImage scattered(History& history, int number) {
  auto image = past_image(history, number);
  for (auto& instruction : image.instructions) {
    instruction.is_offered = history.below(5) == 0;
  }
  image.instructions.back().is_offered = false;  // with the last one every choice is simple
  return image;
}

TEST(Choice, of_one_source_is_the_best_whatever_images_hold) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    History history(seed);
    MemoryCacheIndex index;
    for (int number = 0; number < 400; ++number) {
      index.record(scattered(history, number));  // of one commit: each key has many holders
    }
    KeyGraph graph = history.graph();
    const CostedGraph costed = give_costs(graph, seed);
    const CacheReader reader = reader_of(history);
    const Choice choice = choose_sources(graph, reader, index, {1, {}});
    EXPECT_FALSE(choice.is_cut_short);
    EXPECT_EQ(choice.saved, AllImages(graph, index, reader).best_single(costed));
  }
}

TEST(ChoiceOverHistories, of_two_sources_is_worth_nearly_the_best_pair) {
  double ours = 0;
  double best = 0;
  int worse = 0;
  replay(60, 80, [&](const auto& graph, const auto& costed, auto& index, const auto& reader) {
    const auto pair = AllImages(graph, index, reader).best_pair(costed);
    const Choice choice = choose_sources(graph, reader, index);
    EXPECT_LE(choice.saved.time, pair);
    worse += choice.saved.time + std::chrono::seconds(1) <= pair ? 1 : 0;
    ours += static_cast<double>(choice.saved.time.count());
    best += static_cast<double>(pair.count());
  });
  RecordProperty("share", fmt::format("{:.5f}", ours / best));
  RecordProperty("worse", worse);
  EXPECT_GE(ours, 0.99 * best);
}

TEST(ChoiceOverHistories, accounts_for_every_instruction_once) {
  replay(20, 60, [&](const auto& graph, const auto& costed, auto& index, const auto& reader) {
    const Choice choice = choose_sources(graph, reader, index);
    NodeSet spared(graph.nodes.size());
    Savings sum;
    for (const Source& source : choice.sources) {
      for (const std::size_t node : source.nodes) {
        EXPECT_FALSE(spared[node]);
        EXPECT_TRUE(costed.needed()[node]);
        spared[node] = true;
      }
      sum.time += source.savings.time;
      sum.layers += source.savings.layers;
    }
    EXPECT_EQ(sum, choice.saved);
    EXPECT_EQ(costed.sum(costed.needed()), choice.needed);
    for (const FirstMiss& miss : choice.misses) {
      EXPECT_TRUE(costed.needed()[miss.node] && !spared[miss.node]);
    }
  });
}

std::vector<std::string> source_ids(const Choice& choice) {
  std::vector<std::string> out;
  for (const Source& source : choice.sources) {
    out.push_back(source.image.id);
  }
  return out;
}

TEST(ChoiceOverHistories, does_not_depend_on_the_order_in_which_images_are_recorded) {
  std::mt19937_64 chance(1);
  replay(200, 14, [&](const auto& graph, const auto&, auto& index, const auto& reader) {
    auto images = index.visible(reader);
    std::shuffle(images.begin(), images.end(), chance);
    MemoryCacheIndex shuffled;
    for (const auto& [number, image] : images) {
      shuffled.record(image);
    }
    const Choice one = choose_sources(graph, reader, index);
    const Choice other = choose_sources(graph, reader, shuffled);
    EXPECT_EQ(source_ids(one), source_ids(other));
    EXPECT_EQ(one.saved, other.saved);
  });
}

}  // namespace
}  // namespace freshet::cache
