// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/dockerfile/instruction.hpp"

#include <string_view>
#include <vector>

namespace freshet::dockerfile {

/// The instruction that a BuildKit vertex is about, from its name such as `[2/4] RUN make` or
/// `[linux/amd64 builder 3/5] COPY . /src`. nullptr when it is about none (`[internal] …`) or when
/// it cannot be told. The result points into `instructions`.
///
/// BuildKit's text may be shortened and has its variables expanded, so stage and number decide; the
/// text only corrects a number that triggers of the base image (ONBUILD) have shifted.
const Instruction* find_instruction(
    const std::vector<Instruction>& instructions, std::string_view vertex_name);

/// Whether BuildKit counts the instructions of that vertex's stage as they are written. Where the
/// base image brought some (ONBUILD), it numbers the last ones beyond its own count, as in `[3/2]`.
/// True for a vertex that is about none.
bool is_counted_as_written(
    const std::vector<Instruction>& instructions, std::string_view vertex_name);

}  // namespace freshet::dockerfile
