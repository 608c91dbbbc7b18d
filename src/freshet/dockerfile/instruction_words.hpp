// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/diagnostics.hpp"
#include "freshet/dockerfile/instruction.hpp"

namespace freshet::dockerfile {

/// Fills keyword, flags and arguments of `instruction` from its logical line. A mistake of the
/// syntax is told in `diagnostics`; gives false then.
bool read_words(
    Instruction& instruction, const LogicalLine& line, char escape, Diagnostics& diagnostics);

/// The keyword of the instruction that an ONBUILD holds, upper case; else its own.
std::string inner_keyword(const Instruction& instruction);

}  // namespace freshet::dockerfile
