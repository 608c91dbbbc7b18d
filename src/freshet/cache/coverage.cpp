// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/coverage.hpp"

#include "freshet/base/error.hpp"

#include <algorithm>

namespace freshet::cache {

CostedGraph::CostedGraph(const KeyGraph& graph, std::vector<std::chrono::milliseconds> costs)
    : graph_(graph), costs_(std::move(costs)) {
  FRESHET_ASSERT(costs_.size() == graph.nodes.size());
  for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
    const auto& parents = graph.nodes[node].parents;
    FRESHET_ASSERT(std::ranges::all_of(parents, [&](std::size_t parent) { return parent < node; }));
    FRESHET_ASSERT(graph.nodes[node].stage < graph.stages.size());
  }
  for (const std::size_t target : graph.targets) {
    FRESHET_ASSERT(target < graph.nodes.size());
  }
  needed_ = walk(NodeSet(graph.nodes.size())).runs;
}

Coverage CostedGraph::cover(const NodeSet& held) const {
  Coverage out = walk(held);
  out.savings = sum(subtract(needed_, out.runs));
  return out;
}

Coverage CostedGraph::walk(const NodeSet& held) const {
  const std::size_t count = graph_.nodes.size();
  Coverage out{NodeSet(count), NodeSet(count), {}};
  NodeSet wanted(count);
  for (const std::size_t target : graph_.targets) {
    wanted[target] = true;
  }
  for (std::size_t node = count; node-- > 0;) {  // children before parents
    if (wanted[node] && held[node]) {
      out.used[node] = true;
    } else if (wanted[node]) {
      out.runs[node] = true;
      for (const std::size_t parent : graph_.nodes[node].parents) {
        wanted[parent] = true;
      }
    }
  }
  return out;
}

Savings CostedGraph::sum(const NodeSet& nodes) const {
  Savings out;
  for (std::size_t node = 0; node < nodes.size(); ++node) {
    if (nodes[node]) {
      out.time += costs_[node];
      out.layers += graph_.nodes[node].makes_layer ? 1 : 0;
    }
  }
  return out;
}

NodeSet unite(NodeSet one, const NodeSet& other) {
  for (std::size_t node = 0; node < one.size(); ++node) {
    one[node] = one[node] || other[node];
  }
  return one;
}

NodeSet subtract(NodeSet one, const NodeSet& other) {
  for (std::size_t node = 0; node < one.size(); ++node) {
    one[node] = one[node] && !other[node];
  }
  return one;
}

}  // namespace freshet::cache
