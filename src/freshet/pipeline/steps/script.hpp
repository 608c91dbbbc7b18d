// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/files.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace freshet::pipeline {

inline constexpr std::string_view k_script_name = "script";

/// The commands of a freestyle step as one shell script that stops at the first failure, tells each
/// command before it runs, and finds `cf_export` on the path.
std::string make_script(const std::vector<std::string>& commands);

/// The words of a command line as a POSIX shell cuts it: blanks separate, quotes and backslashes
/// protect; nothing is expanded.
std::vector<std::string> split_words(std::string_view line);

/// Writes the script and the `cf_export` program into `folder`, which containers see.
void write_step_files(const fs::path& folder, const std::vector<std::string>& commands);

}  // namespace freshet::pipeline
