// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/diagnostics.hpp"
#include "freshet/dockerfile/instruction.hpp"

namespace freshet::dockerfile {

/// What `instruction`, its words and here-documents being read, says. What is wrong with it is told
/// in `diagnostics`, and the body is empty when nothing sensible is left.
/// Source: BuildKit, frontend/dockerfile/instructions.
Body read_body(const Instruction& instruction, Budget& budget, Diagnostics& diagnostics);

}  // namespace freshet::dockerfile
