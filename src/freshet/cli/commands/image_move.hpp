// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/cli/commands/commands.hpp"

namespace freshet::cli {

/// `promote`, `tag` and `untag`, below `freshet image`.
void add_image_move_commands(CLI::App& group, Action& action);

}  // namespace freshet::cli
