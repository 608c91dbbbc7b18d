// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/pipeline/expressions/variables.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace freshet::pipeline {

/// What a step left in its `env_vars_to_export` file.
struct Exports {
  std::vector<NamedValue> variables;  // in the order of the file; a later one of a name wins
  std::vector<std::string> rejected;  // lines that are not `NAME=VALUE`, fit to be shown
};

/// Reads the file: one `NAME=VALUE` a line, the first `=` separates, empty lines are ignored. A
/// value over several lines keeps its first one; the others are rejected.
Exports parse_exports(std::string_view text);

}  // namespace freshet::pipeline
