// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/cache/context_digest.hpp"
#include "freshet/dockerfile/evaluate.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace freshet::cache {

/// Which entries of a context an instruction sees, as ascending indexes of them: never fewer than
/// it sees, all where it is not sure what a source means. Links that a source names or leads
/// through are followed within the context, and are seen themselves. Source: BuildKit,
/// solver/llbsolver/file; fsutil, copy.
class ContextFiles {
 public:
  /// nullopt: all of them, and no work is left to list them.
  using Seen = std::optional<std::vector<std::size_t>>;

  /// Looking at so many entries takes some seconds. Dockerfiles are anybody's: what comes behind
  /// that is not looked at.
  static constexpr std::uint64_t k_max_work = 10'000'000;

  /// `entries` are in the order of a `ContextDigest` and outlive this.
  explicit ContextFiles(
      const std::vector<ContextEntry>& entries, std::uint64_t max_work = k_max_work)
      : entries_(entries), work_left_(max_work) {}

  /// What `step`, which copies from the context, copies.
  Seen copied_by(const dockerfile::CopyStep& step);
  /// What a mount of `path` shows.
  Seen below(const std::string& path);

 private:
  bool spend(std::uint64_t work);
  Seen all();
  std::vector<std::size_t> complete(std::vector<bool> seen, bool with_parents) const;

  const std::vector<ContextEntry>& entries_;
  std::uint64_t work_left_;
};

}  // namespace freshet::cache
