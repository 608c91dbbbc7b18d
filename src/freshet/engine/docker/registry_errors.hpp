// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/error.hpp"

#include <string>
#include <string_view>

namespace freshet::engine {

/// A pull or push by the engine, as its errors name it.
struct Transfer {
  enum class Direction { pull, push };

  Direction direction = Direction::pull;
  std::string reference;  // `registry.example/team/app:v9`
  bool has_credentials = false;
};

/// What the engine's text about a failed transfer means: the engine hands on the registry's words
/// and the HTTP client's, without a code of its own. The text is quoted in the error.
Error transfer_error(const Transfer& transfer, std::string_view text, int http_status = 0);

}  // namespace freshet::engine
