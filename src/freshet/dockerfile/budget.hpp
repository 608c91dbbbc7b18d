// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/error.hpp"

#include <cstdint>

namespace freshet::dockerfile {

/// How much work a Dockerfile may make: a few lines can say a text of any length, each variable
/// holding the one before twice. A unit is about one byte made or compared.
class Budget {
 public:
  static constexpr std::uint64_t k_default_units = 32 << 20;  // a second or two at the very most

  explicit Budget(std::uint64_t units = k_default_units) : left_(units) {}

  /// Throws: too_large, when nothing is left.
  void spend(std::uint64_t units) {
    if (units > left_) {
      left_ = 0;
      throw Error(ErrorCode::too_large, "what this Dockerfile comes to grows without bounds")
          .with_hint(
              "look for an ENV or ARG that holds other variables more than once, or for many "
              "ONBUILDs");
    }
    left_ -= units;
  }

 private:
  std::uint64_t left_;
};

}  // namespace freshet::dockerfile
