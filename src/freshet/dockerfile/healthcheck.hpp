// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/diagnostics.hpp"
#include "freshet/dockerfile/instruction.hpp"

namespace freshet::dockerfile {

/// The body of a HEALTHCHECK, as `read_body` has it.
Body read_healthcheck(const Instruction& instruction, Diagnostics& diagnostics);

}  // namespace freshet::dockerfile
