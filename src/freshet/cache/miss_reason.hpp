// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/cache/choice.hpp"
#include "freshet/cache/instruction_keys.hpp"
#include "freshet/cache/remembered_build.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace freshet::cache {

/// Why the first instruction of a stage that no source gives is not in any.
struct MissReason {
  std::size_t node = 0;
  std::string text;  // for people, such as `files changed: src/main.c (1 of 12)`
};

/// Compares what `choice` misses with the last build of the same, which may be null. `now` is what
/// will be remembered of `build`. Pure.
std::vector<MissReason> explain_misses(
    const KeyedBuild& build,
    const Choice& choice,
    const RememberedBuild& now,
    const RememberedBuild* last);

}  // namespace freshet::cache
