// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/copy/manifest_tree.hpp"

#include "freshet/oci/copy/parallel.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::oci {
namespace {

void add_blob(
    std::map<Digest, WantedBlob>& all,
    const Place& source,
    const Place& target,
    const ManifestEntry& part) {
  const Digest digest = part.descriptor.digest;
  const auto known = all.find(digest);
  if (known != all.end()) {
    if (known->second.blob.size_bytes != part.descriptor.size_bytes) {
      throw Error(
          ErrorCode::corrupt_data,
          fmt::format("the image says two sizes of blob '{}'", digest.to_string()));
    }
    return;
  }
  WantedBlob wanted{part.descriptor};
  wanted.is_foreign = part.is_foreign;
  wanted.copy_from.push_back(source);
  if (source.registry->domain() == target.registry->domain()) {
    wanted.mount_from.push_back(source.repository);
    wanted.is_mount_sure = !part.is_foreign;
  }
  all.emplace(digest, std::move(wanted));
}

/// The manifests that `nodes` name and `known` does not have yet; each once.
std::vector<Descriptor> next_level(
    const std::vector<Digest>& level, const std::map<Digest, TreeNode>& known) {
  std::map<Digest, Descriptor> found;
  for (const Digest& parent : level) {
    for (const ManifestEntry& entry : known.at(parent).parts.manifests) {
      if (!known.contains(entry.descriptor.digest)) {
        found.emplace(entry.descriptor.digest, entry.descriptor);
      }
    }
  }
  std::vector<Descriptor> level_below;
  for (auto& [digest, descriptor] : found) {
    level_below.push_back(std::move(descriptor));
  }
  return level_below;
}

/// nullopt: the target has it and nobody needs to read it.
Awaitable<std::optional<TreeNode>> read_node(
    Errand& errand, Place source, Descriptor entry, bool reads_all, ManifestBudget& budget) {
  const Place& target = errand.target();
  auto work =
      target.registry->find_manifest(errand.ctx(), target.repository, entry.digest.to_string());
  const auto there = co_await errand.at_target(std::move(work));
  if (there && !reads_all) {
    co_return std::nullopt;
  }
  Manifest manifest = co_await errand.get_manifest(source, entry.digest.to_string());
  if (manifest.descriptor.size_bytes != entry.size_bytes) {
    throw Error(
        ErrorCode::corrupt_data,
        fmt::format(
            "manifest '{}' has {} bytes, the index says {}",
            entry.digest.to_string(),
            manifest.descriptor.size_bytes,
            entry.size_bytes));
  }
  TreeNode node = make_node(std::move(manifest), budget);
  node.is_at_target = there.has_value();
  co_return node;
}

}  // namespace

TreeNode make_node(Manifest manifest, ManifestBudget& budget) {
  if (budget.manifests == 0 || budget.bytes < manifest.bytes.size()) {
    throw Error(ErrorCode::too_large, "the image has more manifests than any that is meant well");
  }
  --budget.manifests;
  budget.bytes -= manifest.bytes.size();
  ParsedManifest parts = parse_manifest(manifest.bytes, manifest.descriptor.media_type);
  return TreeNode{std::move(manifest), std::move(parts)};
}

Awaitable<ManifestTree> ManifestTree::read(
    Errand& errand, Place source, TreeNode root, bool reads_all, ManifestBudget& budget) {
  ManifestTree tree(root.manifest.descriptor.digest);
  std::vector<Digest> level{tree.root_};
  tree.nodes_.emplace(tree.root_, std::move(root));
  for (int depth = 0; !level.empty(); ++depth) {
    const std::vector<Descriptor> below = next_level(level, tree.nodes_);
    level.clear();
    if (!below.empty() && depth == k_max_depth) {
      throw Error(
          ErrorCode::unsupported,
          fmt::format("the image nests its indexes deeper than {} levels", k_max_depth));
    }
    if (below.size() > budget.manifests) {
      throw Error(ErrorCode::too_large, "the image has more manifests than any that is meant well");
    }
    const auto read_one = [&](std::size_t index) -> Awaitable<void> {
      auto node = co_await read_node(errand, source, below[index], reads_all, budget);
      if (node) {
        level.push_back(below[index].digest);
        tree.nodes_.emplace(below[index].digest, std::move(*node));
      }
    };
    co_await for_each_at_once(below.size(), Errand::k_at_once, read_one);
  }
  co_return tree;
}

std::vector<WantedBlob> ManifestTree::wanted_blobs(const Place& source, const Place& target) const {
  std::map<Digest, WantedBlob> all;
  for (const auto& [digest, node] : nodes_) {
    if (node.is_at_target) {
      continue;
    }
    if (node.parts.config) {
      add_blob(all, source, target, *node.parts.config);
    }
    for (const ManifestEntry& layer : node.parts.layers) {
      add_blob(all, source, target, layer);
    }
  }
  std::vector<WantedBlob> wanted;
  for (auto& [digest, blob] : all) {
    wanted.push_back(std::move(blob));
  }
  return wanted;
}

int ManifestTree::height_of(const Digest& digest, std::map<Digest, int>& heights) const {
  const auto node = nodes_.find(digest);
  if (node == nodes_.end()) {
    return -1;
  }
  const auto known = heights.find(digest);
  if (known != heights.end()) {
    return known->second;
  }
  int height = 0;
  for (const ManifestEntry& entry : node->second.parts.manifests) {
    height = std::max(height, height_of(entry.descriptor.digest, heights) + 1);
  }
  heights.emplace(digest, height);
  return height;
}

std::vector<std::vector<Digest>> ManifestTree::groups_below_root() const {
  std::map<Digest, int> heights;
  std::vector<std::vector<Digest>> groups(
      static_cast<std::size_t>(std::max(height_of(root_, heights), 0)));
  for (const auto& [digest, height] : heights) {
    if (digest != root_ && !nodes_.at(digest).is_at_target) {
      groups[static_cast<std::size_t>(height)].push_back(digest);
    }
  }
  return groups;
}

Awaitable<void> put_below_root(Errand& errand, const ManifestTree& tree) {
  for (const std::vector<Digest>& group : tree.groups_below_root()) {
    const auto put_one = [&](std::size_t index) {
      return errand.put(tree.nodes().at(group[index]).manifest, {});
    };
    co_await for_each_at_once(group.size(), Errand::k_at_once, put_one);
  }
}

}  // namespace freshet::oci
