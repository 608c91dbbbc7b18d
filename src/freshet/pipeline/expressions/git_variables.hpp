// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/model/build.hpp"
#include "freshet/pipeline/expressions/variables.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace freshet::pipeline {

/// A branch name as a Docker tag: what a tag cannot hold becomes `_`, one for each character; at
/// most 128 characters. E.g. `feature/foo` becomes `feature_foo`.
std::string normalise_branch_tag(std::string_view branch);
/// The same with `-` in place of all that is replaced, underscores included.
std::string normalise_branch_version(std::string_view branch);

/// Puts a backslash before each `'` and `"`.
std::string escape_quotes(std::string_view text);
/// Puts a backslash before each character that a shell or YAML treats specially; line breaks and
/// tabs become `\n`, `\r`, `\t`.
std::string escape_special(std::string_view text);

/// The CF_ variables that git gives; what the facts leave empty is not there at all, so that its
/// `${{…}}` stays in the text.
std::vector<NamedValue> git_variables(const model::GitFacts& git);

}  // namespace freshet::pipeline
