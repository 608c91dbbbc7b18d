// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/cli/runtime.hpp"

#include <CLI/App.hpp>

#include <functional>

namespace freshet::cli {

/// What the chosen command does; returns the exit code. Set while the command line is parsed.
using Action = std::function<int(Runtime& runtime)>;

/// Each adds one command with its grammar and help to `app`; when the command is the one chosen,
/// `action` becomes what it does.
void add_registry_commands(CLI::App& app, Action& action);
void add_run_command(CLI::App& app, Action& action);
void add_image_commands(CLI::App& app, Action& action);
void add_cache_commands(CLI::App& app, Action& action);
void add_doctor_command(CLI::App& app, Action& action);

}  // namespace freshet::cli
