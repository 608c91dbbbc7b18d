// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::dockerfile {

/// One instruction of a Dockerfile and where it stands.
struct Instruction {
  int line = 0;  // first line, from 1
  int last_line = 0;  // the last line that belongs to it, here-documents included
  std::string keyword;  // upper case
  /// The whole logical line as BuildKit shows it: keyword in upper case, continuation lines joined,
  /// comments left out, without the bodies of here-documents.
  std::string text;
  int stage_index = -1;  // of its FROM, from 0; -1 before the first one
  std::string stage_name;  // lower case, as after AS; empty when the stage has none
  /// The number that BuildKit gives it in `[name 2/5]`; 0 when it is not counted there. Counted are
  /// RUN, COPY, ADD, WORKDIR, and FROM unless it names `scratch` or an earlier stage.
  int step_in_stage = 0;

  bool operator==(const Instruction&) const = default;
};

/// All instructions of a Dockerfile in order, its parser directives obeyed. Anything is accepted:
/// an unknown keyword is listed like a known one.
/// Source: BuildKit's frontend/dockerfile/parser.
std::vector<Instruction> parse_instructions(std::string_view dockerfile);

/// The instruction that a BuildKit vertex is about, from its name such as `[2/4] RUN make` or
/// `[linux/amd64 builder 3/5] COPY . /src`. nullptr when it is about none (`[internal] …`) or when
/// it cannot be told. The result points into `instructions`.
///
/// BuildKit's text may be shortened and has its variables expanded, so stage and number decide; the
/// text only corrects a number that triggers of the base image (ONBUILD) have shifted.
const Instruction* find_instruction(
    const std::vector<Instruction>& instructions, std::string_view vertex_name);

/// What the stages start from, each once, in order: no `scratch`, no earlier stage; variables
/// as written.
std::vector<std::string> base_images(const std::vector<Instruction>& instructions);

}  // namespace freshet::dockerfile
