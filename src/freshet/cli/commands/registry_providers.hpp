// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace freshet::cli {

/// Prints all providers, or what the one called `name` asks for; returns the exit code.
int list_providers(const std::string& name, bool as_json);

}  // namespace freshet::cli
