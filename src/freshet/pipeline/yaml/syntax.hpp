// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/pipeline/yaml/findings.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace freshet::pipeline {

/// A reason why a text cannot be read as YAML.
struct SyntaxFinding {
  YamlPlace at;
  std::string message;
  std::string hint;  // may be empty
};

/// The place of the byte at `offset`.
YamlPlace place_at(std::string_view text, std::size_t offset);
/// The reverse; the end of the text when it has no such place.
std::size_t offset_at(std::string_view text, YamlPlace place);

/// The first byte that is not UTF-8, or the first control character, that YAML does not allow.
std::optional<SyntaxFinding> find_unreadable(std::string_view text);

/// Says in a writer's words what the parser said in its own: `reason` is its message, `at` where it
/// gave up. Looks at the line for the usual causes: tabs, curly quotes, unquoted `: `.
SyntaxFinding explain_syntax_error(std::string_view reason, YamlPlace at, std::string_view text);

/// Whether `text` holds typographic quotes, as word processors make of straight ones.
bool has_curly_quotes(std::string_view text);

}  // namespace freshet::pipeline
