// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/files.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace freshet::cache {

/// A build context, and how to look at it.
struct ContextRequest {
  fs::path root;
  std::vector<std::string> excludes;  // patterns, as `engine::Selection` takes them
  fs::path memo;  // the file of its `ContextMemo`, named `*.memo`; empty: none is kept
};

/// One entry of a context.
struct ContextEntry {
  std::string path;
  /// Everything about it that counts: kind and mode, target of a link, content, extended
  /// attributes. Equal states: nothing was changed. Owners and times do not count.
  std::string state;
  bool is_link = false;  // symbolic
  /// Where a symbolic link leads, as it is written. Of a further name of a file that has several,
  /// the first one: its state, not this one's, tells the content. Else empty.
  std::string link;

  bool operator==(const ContextEntry&) const = default;
};

/// What a build gets of its context.
struct ContextDigest {
  std::string digest;  // `sha256:…` of all entries
  std::vector<ContextEntry> entries;  // in the order in which a builder is told of them
  std::size_t files = 0;
  std::uint64_t bytes = 0;  // in them
  std::uint64_t bytes_read = 0;  // the others are known from the memo
};

/// Reads the context, on all cores, but for files that the memo knows to be unchanged. Links are
/// part of it, what they lead to is not. That the memo cannot be written is no failure. Blocking.
/// Throws what `engine::walk_tree` throws, and the same for a file that cannot be read or vanished;
/// invalid_input for a malformed pattern.
ContextDigest digest_context(const ContextRequest& request);

}  // namespace freshet::cache
