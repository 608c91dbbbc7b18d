// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/providers/problems.hpp"

#include "freshet/base/text.hpp"

namespace freshet::registries {

void Problems::throw_if_any() const {
  if (!messages_.empty()) {
    throw Error(ErrorCode::invalid_input, join(messages_, "; ")).with_hint(join(hints_, "; "));
  }
}

}  // namespace freshet::registries
