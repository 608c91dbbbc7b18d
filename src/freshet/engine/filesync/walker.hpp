// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/filesync/entry.hpp"
#include "freshet/engine/filesync/selection.hpp"

namespace freshet::engine {

/// Lists what `selection` selects below the directory `root_fd`, in protocol order: depth first,
/// the names of each directory sorted by their bytes, a directory before its contents. A directory
/// that is not selected itself is listed when something below it is. What vanishes meanwhile is
/// left out. Links are listed, never followed; mounts are.
///
/// Memory grows with the depth of the tree and its largest directory, not with its size (but for
/// files with several hard links). Extended attributes are left out unless asked for. Returns false
/// when `on_entry` ended the listing. Throws: forbidden, unavailable (a directory or file that
/// cannot be read, by name). Source: session protocol of BuildKit ("fsutil"): order, lazily sent
/// parents, hard links.
bool walk_tree(
    int root_fd,
    const Selection& selection,
    const EntrySink& on_entry,
    bool wants_attributes = true);

}  // namespace freshet::engine
