// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace freshet::cli {

/// The command line program: parses `argv`, runs the command and returns the exit code: 0 success,
/// 1 failure, 2 bad input, 3 something that may work later, 130 stopped by the user.
int run(int argc, char** argv);

}  // namespace freshet::cli
