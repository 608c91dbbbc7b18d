// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/cache/context_digest.hpp"
#include "freshet/dockerfile/evaluate.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace freshet::cache {

/// Which entries of a context an instruction sees, as ascending indexes of them: never fewer than
/// it sees, all where it is not sure what a source means. Links that a source names or leads
/// through are followed within the context, and are seen themselves. Source: BuildKit,
/// solver/llbsolver/file; fsutil, copy.
class ContextFiles {
 public:
  /// `entries` are in the order of a `ContextDigest` and outlive this.
  explicit ContextFiles(const std::vector<ContextEntry>& entries) : entries_(entries) {}

  /// What `step`, which copies from the context, copies.
  std::vector<std::size_t> copied_by(const dockerfile::CopyStep& step) const;
  /// What a mount of `path` shows.
  std::vector<std::size_t> below(const std::string& path) const;

 private:
  std::vector<std::size_t> all() const;
  std::vector<std::size_t> complete(std::vector<bool> seen, bool with_parents) const;

  const std::vector<ContextEntry>& entries_;
};

}  // namespace freshet::cache
