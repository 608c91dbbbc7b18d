// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace freshet::cache {

/// The patterns of a `.dockerignore` file in order, as `engine::Selection` takes what it excludes.
/// Source: Docker documentation, ".dockerignore files".
std::vector<std::string> parse_ignore_file(std::string_view text);

}  // namespace freshet::cache
