// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace freshet::dockerfile {

/// `path` without `.`, `..` and doubled slashes, as far as that can be told without looking; it
/// never leaves the root. `.` when nothing is left. Source: Go's `path.Clean`.
std::string clean_path(std::string_view path);

/// `path` as seen from `directory`, clean and absolute. A slash or dot at its end, which says that
/// it is a directory, stays when `keeps_end`.
std::string resolve_path(std::string_view directory, std::string_view path, bool keeps_end = false);

/// The last part of a path; `/` of the root, `.` of nothing. Source: Go's `path.Base`.
std::string base_name(std::string_view path);

}  // namespace freshet::dockerfile
