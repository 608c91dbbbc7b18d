// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/cli/runtime.hpp"

#include <string>

namespace freshet::cli {

/// Sets what happens to the images of build steps that name no registry; tells it when `mode` is
/// empty. Throws invalid_input for an unknown mode. Returns the exit code.
int change_push_mode(Runtime& runtime, const std::string& mode, bool as_json);

}  // namespace freshet::cli
