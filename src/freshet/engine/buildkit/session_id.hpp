// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/buildkit/dockerfile_source.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::engine {

/// The patterns of an ignore file, as the builder would read them from it.
std::vector<std::string> parse_ignore_file(std::string_view text);

/// The id of a build's session: the same as an earlier build's when all that the builder could read
/// through it is the same as then, else an id that was never used before.
///
/// The builder files what it gets from a session under the session's id, so that it asks for
/// nothing where it meets an id again; another id has it compare the trees entry by entry. A file
/// counts as the same by its inode, size, mode and both its times; the builder's own comparison
/// asks for less. Two builds at the same time must not have the same id. Throws as FileTree::list.
/// Source: BuildKit, cache key of the source `local://`.
std::string find_session_id(
    std::chrono::system_clock::time_point now,
    const std::string& source_key,
    const DockerfileSource& dockerfile,
    const FileTree& context);

}  // namespace freshet::engine
