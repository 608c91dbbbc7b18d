// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet {

struct Command {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH
  std::filesystem::path directory;  // empty: the current one
  /// `NAME=value`, over the inherited environment. Never put a credential here.
  std::vector<std::string> environment;
  std::vector<std::string> without;  // names of inherited variables to leave out
};

/// Gets each line that the command prints (both streams), without its line break.
using LineSink = std::function<void(std::string_view line)>;

/// Runs a program with an empty standard input and returns its exit code (128 + n when ended by
/// signal n). Cancelling or passing the deadline ends it with SIGTERM, two seconds later SIGKILL.
/// Throws: not_found (no such program), deadline_exceeded.
Awaitable<int> run_command(Ctx ctx, Command command, LineSink on_line);

}  // namespace freshet
