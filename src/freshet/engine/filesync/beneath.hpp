// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/files.hpp"

#include <optional>
#include <string>

namespace freshet::engine {

/// Opens `path` (relative, without `..`) below the directory `root_fd` without passing through any
/// symbolic link, so the result is inside the root whatever happens to the tree meanwhile.
/// The result is closed when that fails; `errno` says why.
UniqueFd open_beneath(int root_fd, const std::string& path, int flags);

/// Opens `path` below `root_fd`, through links that stay inside the root. `errno` is EXDEV when a
/// link leads out of it.
UniqueFd open_inside(int root_fd, const std::string& path, int flags);

/// Target of the link `name` in the directory `directory_fd`; nullopt when it is no link or absent.
std::optional<std::string> read_link(int directory_fd, const std::string& name);

}  // namespace freshet::engine
