// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace freshet::engine {

/// Turns paths (COPY sources, perhaps with wildcards) into include patterns: every link on the way
/// is included and followed, as far as it stays below the directory `root_fd`; a path that leads
/// above the root ends at the root. Absent paths are kept: they just match nothing.
/// nullopt: one of the paths is the root itself, so everything is included.
std::optional<std::vector<std::string>> resolve_follow_paths(
    int root_fd, const std::vector<std::string>& paths);

}  // namespace freshet::engine
