// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace freshet::dockerfile {

/// The words of a logical line, split at blanks; enough for FROM, whose words have no quotes.
std::vector<std::string> words_of(std::string_view text);

/// What `FROM [--flag…] image [AS name]` says.
struct From {
  std::string image;  // variables as written; empty when the line has none
  std::string name;  // lower case; may be empty
};

From parse_from(std::string_view text);

}  // namespace freshet::dockerfile
