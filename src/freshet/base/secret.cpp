// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/secret.hpp"

#include <sodium.h>

#include <ostream>

namespace freshet {

Secret::Secret(std::string value) : value_(value) {
  sodium_memzero(value.data(), value.size());
}

bool Secret::operator==(const Secret& other) const {
  const std::string_view mine = reveal();
  const std::string_view theirs = other.reveal();
  return mine.size() == theirs.size() &&
         sodium_memcmp(mine.data(), theirs.data(), mine.size()) == 0;
}

std::ostream& operator<<(std::ostream& out, const Secret&) {
  return out << "***";
}

}  // namespace freshet
