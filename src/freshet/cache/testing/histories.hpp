// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/cache/key_graph.hpp"
#include "freshet/model/past_image.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace freshet::cache::testing {

/// A key that depends on every one of `parts`.
inline model::InstructionKey make_key(const std::vector<std::uint64_t>& parts) {
  model::InstructionKey key{};
  for (std::size_t word = 0; word < 4; ++word) {
    std::uint64_t state = 0x9E3779B97F4A7C15 * (word + 1);
    for (const std::uint64_t part : parts) {
      state = (state ^ part) * 0xBF58476D1CE4E5B9;
      state ^= state >> 29;
      state = (state + 0x9E3779B97F4A7C15) * 0x94D049BB133111EB;
      state ^= state >> 32;
    }
    for (std::size_t byte = 0; byte < 8; ++byte) {
      key[word * 8 + byte] = static_cast<std::uint8_t>(state >> (8 * byte));
    }
  }
  return key;
}

inline std::uint64_t first_word(const model::InstructionKey& key) {
  std::uint64_t out = 0;
  for (std::size_t byte = 0; byte < 8; ++byte) {
    out |= std::uint64_t{key[byte]} << (8 * byte);
  }
  return out;
}

inline std::string diff_id_of(const model::InstructionKey& key) {
  std::string out = "sha256:";
  for (const std::uint8_t byte : key) {
    out += fmt::format("{:02x}", byte);
  }
  return out;
}

/// The history of a repository with a Dockerfile: commits that change what some instructions are
/// made of, on branches that are made, merged and thrown back. All of it follows from the seed.
class History {
 public:
  struct Shape {
    std::size_t max_stages = 4;
    std::size_t max_instructions = 7;  // of a stage
    std::size_t common = 0;  // so many instructions are the same in every history and never change
  };

  explicit History(std::uint64_t seed) : History(seed, Shape()) {}
  History(std::uint64_t seed, Shape shape) : chance_(seed), seed_(seed), common_(shape.common) {
    make_dockerfile(shape);
    branches_["main"] = std::vector<std::uint64_t>(shape_.nodes.size(), seed);
    states_.push_back(branches_["main"]);
  }

  /// Makes a commit.
  void commit() {
    pick_branch();
    std::vector<std::uint64_t>& versions = branches_[branch_];
    const std::uint64_t what = below(10);
    if (what == 0) {
      versions = states_[below(states_.size())];  // a revert, of late
    } else if (what == 1) {
      const auto& other = std::next(branches_.begin(), static_cast<long>(below(branches_.size())));
      for (std::size_t node = 0; node < versions.size(); ++node) {
        versions[node] = below(2) == 0 ? versions[node] : other->second[node];  // a merge
      }
    }
    for (std::uint64_t count = below(3); count > 0; --count) {
      // Mostly late ones, as Dockerfiles are written.
      versions[std::max(below(versions.size()), below(versions.size()))] = ++last_version_;
    }
    states_.push_back(versions);
    if (states_.size() > k_kept_states) {
      states_.pop_front();
    }
  }

  const std::string& branch() const { return branch_; }

  /// What a build of the newest commit consists of.
  KeyGraph graph() const {
    KeyGraph graph = shape_;
    const auto& versions = branches_.at(branch_);
    for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
      std::vector<std::uint64_t> parts{node};
      if (node >= common_) {
        parts = {seed_, node, versions[node]};
      }
      for (const std::size_t parent : graph.nodes[node].parents) {
        parts.push_back(first_word(graph.nodes[parent].key));
      }
      graph.nodes[node].key = make_key(parts);
      graph.nodes[node].cost = costs_[node];
    }
    return graph;
  }

  /// What such a build leaves: of all stages, or of the last one alone. Nothing cached: all costs
  /// were measured.
  model::PastImage image(const std::string& id, bool has_all_stages) {
    model::PastImage out;
    out.id = id;
    out.platform = "linux/amd64";
    out.pipeline = "team/app";
    out.branch = branch_;
    out.created_at = UnixTime(std::chrono::milliseconds(1'700'000'000'000 + ++images_));
    out.copies = {{"registry.example", "team/app", "sha256:" + id, out.created_at}};
    const KeyGraph built = graph();
    for (std::size_t node = 0; node < built.nodes.size(); ++node) {
      const auto& key = built.nodes[node].key;
      const bool is_offered = has_all_stages || built.nodes[node].stage + 1 == built.stages.size();
      out.instructions.push_back({key, costs_[node], is_offered, diff_id_of(key), 1000});
    }
    return out;
  }

  std::uint64_t below(std::uint64_t limit) { return chance_() % limit; }

 private:
  static constexpr std::size_t k_kept_states = 100;

  void make_dockerfile(const Shape& shape) {
    const std::size_t stages = 1 + below(shape.max_stages);
    std::vector<std::size_t> last_of_stage;
    std::size_t line = 1;
    for (std::size_t stage = 0; stage < stages; ++stage) {
      shape_.stages.push_back(fmt::format("stage{}", stage));
      std::vector<std::size_t> before;
      if (stage > 0 && below(3) == 0) {
        before = {last_of_stage[below(stage)]};
      }
      for (std::size_t left = 1 + below(shape.max_instructions); left > 0; --left) {
        KeyNode node;
        node.parents = before;
        node.stage = stage;
        node.line = ++line;
        if (stage > 0 && below(3) == 0) {
          node.parents.push_back(last_of_stage[below(stage)]);
        }
        before = {shape_.nodes.size()};
        costs_.push_back(std::chrono::milliseconds(1 << below(17)));  // to a minute
        shape_.nodes.push_back(std::move(node));
      }
      last_of_stage.push_back(before.front());
    }
    shape_.targets = {last_of_stage.back()};
  }

  void pick_branch() {
    const std::uint64_t what = below(8);
    if (what == 0) {
      const std::string made = fmt::format("branch{}", branches_.size());
      branches_[made] = branches_[branch_];
      branch_ = made;
    } else if (what < 4) {
      branch_ = std::next(branches_.begin(), static_cast<long>(below(branches_.size())))->first;
    }
  }

  std::mt19937_64 chance_;
  std::uint64_t seed_;
  std::size_t common_;
  KeyGraph shape_;
  std::vector<std::chrono::milliseconds> costs_;
  std::map<std::string, std::vector<std::uint64_t>> branches_;
  std::deque<std::vector<std::uint64_t>> states_;
  std::string branch_ = "main";
  std::uint64_t last_version_ = 0;
  std::uint64_t images_ = 0;
};

}  // namespace freshet::cache::testing
