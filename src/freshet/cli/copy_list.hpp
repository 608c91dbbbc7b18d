// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace freshet::cli {

/// One line of a list of copies.
struct ListedCopy {
  std::string source;
  std::string target;
  SourcePosition at;
};

/// Reads lines of `SRC DST`, separated by blanks; empty lines and what follows a `#` at the start
/// or behind a blank are left out. Throws invalid_input at the first line that is neither, and for
/// a list without any copy, so that nothing is copied by a list that is wrong.
std::vector<ListedCopy> parse_copy_list(std::string_view text, const std::string& file);

}  // namespace freshet::cli
