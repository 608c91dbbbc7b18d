// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/dockerfile/budget.hpp"

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::dockerfile {

/// The value of a variable; nullptr when it is not set.
using FindVariable = std::function<const std::string*(std::string_view name)>;

struct ExpandRules {
  char escape = '\\';
  bool keeps_quotes = false;  // and still obeys them
  bool keeps_escapes = false;
  bool keeps_unset = false;  // `$name` stays as written when it is not set
  bool has_quotes = true;  // else `'` and `"` are ordinary characters
};

struct Expansion {
  std::string text;
  /// `text` cut at spaces that neither quotes nor escapes protect; those that came from a variable
  /// cut too.
  std::vector<std::string> words;
  std::set<std::string> used;  // variables that were set
  std::set<std::string> missing;  // and those that were not
};

/// Puts variables into `word` and removes its quotes and escapes, the way a shell would: `$x`,
/// `${x}`, `${x:-word}` and with `-`, `+`, `?` (each with or without a colon), `${x#pattern}`,
/// `##`,
/// `%`, `%%`, `${x/pattern/text}`, `${x//pattern/text}`.
///
/// Throws: invalid_input, when a quote or brace is open, a form is unknown, or `?` says so;
/// too_large, when the budget is used up.
/// Source: BuildKit, frontend/dockerfile/shell.
Expansion expand(
    std::string_view word, const FindVariable& find, const ExpandRules& rules, Budget& budget);

}  // namespace freshet::dockerfile
