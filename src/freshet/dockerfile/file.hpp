// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/diagnostics.hpp"
#include "freshet/dockerfile/instruction.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::dockerfile {

constexpr std::size_t k_max_file_bytes = 4 << 20;  // BuildKit's own limit for a message
constexpr std::size_t k_max_line_bytes = 65535;  // BuildKit's own limit
constexpr std::size_t k_max_words = 10'000;  // of one instruction; no limit of BuildKit's
constexpr std::size_t k_max_heredocs = 1'000;  // likewise
constexpr std::size_t k_max_instructions = 10'000;  // an image has 127 layers at most

/// `# name=value` at the top of the file: `syntax`, `escape` or `check`.
struct Directive {
  std::string name;  // lower case
  Word value;
};

/// What a Dockerfile says.
struct File {
  std::string name;  // what messages call it
  char escape = '\\';
  std::vector<Directive> directives;
  std::vector<Instruction> instructions;
  /// What BuildKit would refuse, all of it. The rest of the file is there all the same.
  Diagnostics diagnostics;
};

/// Reads a Dockerfile as BuildKit does: syntax 1.7 and what came since.
/// Never throws; work and memory are in proportion to the text, which may be anybody's.
/// Source: https://docs.docker.com/reference/dockerfile/; BuildKit, frontend/dockerfile.
File parse(std::string_view text, std::string name = "Dockerfile");

/// The image that reads this file instead of the builder itself, as its text asks for: `# syntax=`
/// at the top, also as `// syntax=`, below a line `#!`, or as JSON. More than `parse` takes for a
/// directive, because a builder obeys it before it knows what the text is.
std::optional<Word> requested_syntax(std::string_view text, const std::string& name = "Dockerfile");

}  // namespace freshet::dockerfile
