// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/error.hpp"

#include <string>

namespace freshet::engine::testing {

/// The whole text of the `Error` that `work` throws: `code: message | they said | hint`, without
/// what is empty.
template <class Work>
std::string failure_of(Work work) {
  try {
    work();
  } catch (const Error& error) {
    std::string text = std::string(to_string(error.code())) + ": " + error.message();
    if (!error.remote_text().empty()) {
      text += " | said: " + error.remote_text();
    }
    if (!error.hint().empty()) {
      text += " | hint: " + error.hint();
    }
    return text;
  }
  return "no failure";
}

}  // namespace freshet::engine::testing
