// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/cli/runtime.hpp"

#include <string>

namespace freshet::cli {

/// Prints all registries, a line each. Returns the exit code.
int list_registries(Runtime& runtime, bool as_json);
/// Prints all that is known of one, without its secrets. Throws not_found. Returns the exit code.
int show_registry(Runtime& runtime, const std::string& name, bool as_json);

}  // namespace freshet::cli
