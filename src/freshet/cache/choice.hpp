// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/cache/coverage.hpp"
#include "freshet/cache/key_graph.hpp"
#include "freshet/store/cache_index.hpp"

#include <chrono>
#include <vector>

namespace freshet::cache {

struct ChoiceRules {
  std::size_t max_sources = 2;
  /// What a source after the first has to add: asking a registry costs about that.
  std::chrono::milliseconds min_gain{1000};
};

/// A past image that is worth being a cache source.
struct Source {
  /// All of it: what it claims of its layers is there to be verified (`diff_id`).
  model::PastImage image;
  /// What need not run thanks to it and did not go without it already; ascending indexes of nodes.
  std::vector<std::size_t> nodes;
  Savings savings;  // of those
};

/// The first instruction of a stage that has to run.
struct FirstMiss {
  std::size_t node = 0;
  /// Some past image offers its result, yet is not among the sources.
  bool is_offered_elsewhere = false;
};

struct Choice {
  std::vector<Source> sources;  // best first; none: nothing helps
  Savings needed;  // of a build without any source
  Savings saved;  // by all sources together
  std::vector<FirstMiss> misses;  // in the order of stages; none for those that run nothing
  /// Not all images that might be better were looked at, as that would have taken too long.
  bool is_cut_short = false;
};

/// Chooses the past images that spare a build of `graph` the most time, one after the other. Ties:
/// more layers, then the reader's own branch, then the newest. Ties are decided among the images
/// that were looked at: the last few of the branch and the last few of each key that matters.
/// The cost of a node is its own, else what was last measured for its key, else nothing.
/// Pure but for what it asks of `view`, which is bounded by the size of the graph.
Choice choose_sources(
    const KeyGraph& graph,
    const store::CacheReader& reader,
    store::CacheView& view,
    const ChoiceRules& rules = ChoiceRules());

/// The same, with a view of the index.
Choice choose_sources(
    const KeyGraph& graph,
    const store::CacheReader& reader,
    store::CacheIndex& index,
    const ChoiceRules& rules = ChoiceRules());

}  // namespace freshet::cache
