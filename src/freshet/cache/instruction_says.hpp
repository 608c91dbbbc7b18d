// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/dockerfile/evaluate.hpp"

#include <string>
#include <utility>
#include <vector>

namespace freshet::cache {

/// What an instruction came to, by what it is about: two that say the same have the same lists.
/// What stages and images are called is left out, and what a command's variables are.
using Sayings = std::vector<std::pair<std::string, std::string>>;

Sayings say(const dockerfile::RunStep& run);
Sayings say(const dockerfile::CopyStep& copy);
Sayings say(const dockerfile::WorkdirStep& workdir);

}  // namespace freshet::cache
