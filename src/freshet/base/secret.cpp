// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/secret.hpp"

#include <sodium.h>

#include <ostream>

namespace freshet {

// NOLINTNEXTLINE(performance-move-constructor-init): copied and wiped, since moving a short string
// leaves its bytes behind in the source.
Secret::Secret(Secret&& other) noexcept : value_(other.value_) {
  other.wipe();
}

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    wipe();
    value_ = other.value_;
  }
  return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    value_ = other.value_;
    other.wipe();
  }
  return *this;
}

Secret::~Secret() {
  wipe();
}

bool Secret::operator==(const Secret& other) const {
  return value_.size() == other.value_.size() &&
         sodium_memcmp(value_.data(), other.value_.data(), value_.size()) == 0;
}

void Secret::wipe() noexcept {
  sodium_memzero(value_.data(), value_.size());
  value_.clear();
}

std::ostream& operator<<(std::ostream& out, const Secret&) {
  return out << "***";
}

}  // namespace freshet
