// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/cli/runtime.hpp"

#include <string>

namespace freshet::cli {

/// Prints what the registry connected as `name` has below its prefix; returns the exit code.
int list_registry_images(Runtime& runtime, const std::string& name, bool as_json);

}  // namespace freshet::cli
