// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/cli/commands/commands.hpp"

namespace freshet::cli {

/// `copy`, below `freshet image`: one image, or all of a list.
void add_image_copy_command(CLI::App& group, Action& action);

}  // namespace freshet::cli
