// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/copy/errand.hpp"
#include "freshet/oci/manifest.hpp"

#include <map>
#include <string>
#include <vector>

namespace freshet::oci {

/// How much one copy may read, all of its manifests together.
struct ManifestBudget {
  std::size_t manifests = 1000;
  std::size_t bytes = 16UL * 1024 * 1024;
};

/// A manifest of the source.
struct TreeNode {
  Manifest manifest;
  ParsedManifest parts;
  /// The target has it, and so all that it names.
  bool is_at_target = false;
};

/// An image, or an index with all that is below it, as the source has it. Digests verified: the
/// tree can have no circle, but it can be deeper or larger than anything that is meant well.
class ManifestTree {
 public:
  static constexpr int k_max_depth = 4;

  /// Reads what is below `root` from `source`. What the target has is left out, and what is below
  /// it; `reads_all`: is read all the same.
  /// Throws also too_large (the budget is spent), unsupported (too deep), corrupt_data.
  static Awaitable<ManifestTree> read(
      Errand& errand, Place source, TreeNode root, bool reads_all, ManifestBudget& budget);

  const Digest& root() const { return root_; }
  const std::map<Digest, TreeNode>& nodes() const { return nodes_; }

  /// What the target needs for the manifests that it does not have. Distinct.
  std::vector<WantedBlob> wanted_blobs(const Place& source, const Place& target) const;
  /// What the target does not have but for the root, in groups: each group only needs those before.
  std::vector<std::vector<Digest>> groups_below_root() const;

 private:
  explicit ManifestTree(Digest root) : root_(std::move(root)) {}

  int height_of(const Digest& digest, std::map<Digest, int>& heights) const;

  Digest root_;
  std::map<Digest, TreeNode> nodes_;
};

/// Checks the manifest and takes it from the budget. Throws corrupt_data, too_large.
TreeNode make_node(Manifest manifest, ManifestBudget& budget);

/// Puts the manifests below the root; the blobs that they name must be there.
Awaitable<void> put_below_root(Errand& errand, const ManifestTree& tree);

}  // namespace freshet::oci
