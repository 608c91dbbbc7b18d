// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::pipeline {

/// Gives the value of a variable by the name between `${{` and `}}`, blanks around it already off;
/// nullopt when there is no such variable.
using Lookup = std::function<std::optional<std::string>(std::string_view name)>;

/// Asks each in turn; the first that knows the name wins.
Lookup first_of(std::vector<Lookup> lookups);

/// Puts variables into a text: every `${{NAME}}` is replaced by its value, once (a value that holds
/// `${{` stays as it is). A name that `lookup` does not know stays in the text literally, a
/// variable that is empty vanishes. Names do not span lines.
std::string interpolate(std::string_view text, const Lookup& lookup);

/// One `${{NAME}}` in a text.
struct VariableUse {
  std::string name;  // without the blanks around it
  std::size_t offset = 0;  // of the `$`
  std::size_t length = 0;  // up to and with the `}}`

  bool operator==(const VariableUse&) const = default;
};

/// All uses, in the order of the text.
std::vector<VariableUse> find_variables(std::string_view text);

/// The name when `text` is one `${{NAME}}` and nothing else, as in `image: ${{build_step}}`.
std::optional<std::string> sole_variable(std::string_view text);

}  // namespace freshet::pipeline
