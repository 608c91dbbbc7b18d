// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/cli/commands/commands.hpp"

namespace freshet::cli {

/// `image copy`, `promote`, `tag` and `untag`: what moves images between registries.
void add_image_move_commands(CLI::App& group, Action& action);

}  // namespace freshet::cli
