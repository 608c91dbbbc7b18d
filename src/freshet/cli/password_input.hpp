// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/secret.hpp"

#include <optional>
#include <string>

namespace freshet::cli {

/// Where a password comes from. There is no way to give it as an argument: arguments are seen by
/// everybody on the machine and end up in shell histories.
struct PasswordSource {
  bool from_stdin = false;
  std::optional<int> descriptor;
};

/// Reads the whole of standard input or of the descriptor, less one line break at its end; without
/// either, asks on the terminal without echo.
/// Throws invalid_input: nothing given, no terminal to ask on, an unusable descriptor, too long.
Secret read_password(const PasswordSource& source, const std::string& prompt);

}  // namespace freshet::cli
