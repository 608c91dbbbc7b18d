// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/dockerfile/budget.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace freshet::dockerfile {

enum class Length { shortest, longest };

/// A pattern of `${name#pattern}` and its like: `*` is any text of one line, `?` any character, a
/// backslash makes these two and itself plain.
/// Source: POSIX, "Pattern Matching Notation", without brackets, as BuildKit has it.
class Pattern {
 public:
  /// Throws: invalid_input, when a backslash stands before something else.
  explicit Pattern(std::string_view text);

  /// `value` without what matches at its beginning, or at its end.
  std::string without_prefix(std::string_view value, Length length, Budget& budget) const;
  std::string without_suffix(std::string_view value, Length length, Budget& budget) const;
  /// `value` with the first match, or each one, replaced; a match is the longest at its place.
  std::string replace_first(
      std::string_view value, std::string_view replacement, Budget& budget) const;
  std::string replace_all(
      std::string_view value, std::string_view replacement, Budget& budget) const;

 private:
  struct Element {
    enum class Kind { plain, any_character, any_text } kind = Kind::plain;
    char32_t character = 0;
  };

  std::vector<Element> elements_;

  friend class Matcher;
};

}  // namespace freshet::dockerfile
