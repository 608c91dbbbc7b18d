// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/model/past_image.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace freshet::cache {

/// An instruction that makes something: RUN, COPY, ADD. Those that only change the configuration
/// are part of the keys of what follows and are no nodes.
struct KeyNode {
  model::InstructionKey key{};
  /// What it is made of, as indexes of nodes, each smaller than its own: what is before it in its
  /// stage, the last of the stage that its stage is FROM, what it takes COPY --from.
  std::vector<std::size_t> parents;
  /// How long it takes, where the maker of the graph knows better than what was last measured.
  std::optional<std::chrono::milliseconds> cost;
  std::size_t stage = 0;  // index in `KeyGraph::stages`
  std::size_t line = 0;  // where it begins in the Dockerfile, from 1
  bool makes_layer = true;
};

/// The instructions of a build and what they need of each other.
struct KeyGraph {
  std::vector<std::string> stages;  // names for people, in the order of the Dockerfile
  std::vector<KeyNode> nodes;  // parents before children
  /// What the result consists of: mostly one node, the last of the target's stage. What they do not
  /// lead to is not built.
  std::vector<std::size_t> targets;
};

}  // namespace freshet::cache
