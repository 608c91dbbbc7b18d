// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/cache/key_graph.hpp"

#include <chrono>
#include <compare>
#include <vector>

namespace freshet::cache {

/// A set of nodes of a graph: true at their indexes.
using NodeSet = std::vector<bool>;

/// What a build is spared.
struct Savings {
  std::chrono::milliseconds time{};
  std::size_t layers = 0;

  auto operator<=>(const Savings&) const = default;  // by time, then by layers
};

/// What becomes of a build that has the results of some nodes.
struct Coverage {
  NodeSet runs;  // what it has to run
  NodeSet used;  // results that it has and takes
  Savings savings;  // by what it needs without any result, and does not run
};

/// A graph with a cost for each node, for asking what a build is spared. Borrows the graph.
class CostedGraph {
 public:
  /// `costs` are those of the nodes, by index.
  CostedGraph(const KeyGraph& graph, std::vector<std::chrono::milliseconds> costs);

  /// What a build runs that has no result.
  const NodeSet& needed() const { return needed_; }
  /// Walks back from the targets: what is held needs nothing, what is not held has to be run and
  /// needs its parents.
  Coverage cover(const NodeSet& held) const;
  /// Of a set of nodes.
  Savings sum(const NodeSet& nodes) const;

 private:
  Coverage walk(const NodeSet& held) const;  // without savings

  const KeyGraph& graph_;
  std::vector<std::chrono::milliseconds> costs_;
  NodeSet needed_;
};

NodeSet unite(NodeSet one, const NodeSet& other);
/// What is in `one` and not in `other`.
NodeSet subtract(NodeSet one, const NodeSet& other);

}  // namespace freshet::cache
