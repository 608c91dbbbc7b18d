// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/files.hpp"

#include <cstddef>
#include <string_view>

namespace freshet::cache {

/// Of the files of a directory whose names end in `extension` (`.memo`), keeps the `keep` that were
/// written last. What goes wrong is left to the next time.
void remove_oldest(const fs::path& directory, std::string_view extension, std::size_t keep);

}  // namespace freshet::cache
