// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/error.hpp"

#include <string>
#include <utility>
#include <vector>

namespace freshet::registries {

/// Collects what is wrong with a form, so that a user sees all of it at once.
class Problems {
 public:
  void add(std::string message, std::string hint = {}) {
    messages_.push_back(std::move(message));
    if (!hint.empty()) {
      hints_.push_back(std::move(hint));
    }
  }

  /// Runs `check`; an `Error` that it throws becomes a problem and `fallback` the result.
  template <class Check, class Value>
  Value attempt(Check check, Value fallback) {
    try {
      return check();
    } catch (const Error& error) {
      add(error.message(), error.hint());
    }
    return fallback;
  }

  /// Throws invalid_input with every problem, in the order in which they were found.
  void throw_if_any() const;

 private:
  std::vector<std::string> messages_;
  std::vector<std::string> hints_;
};

}  // namespace freshet::registries
