// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace freshet::dockerfile {

/// One character of UTF-8 text. A byte that is none counts as one of its own.
struct Character {
  char32_t value = 0;
  std::size_t size = 0;  // in bytes; 0 at the end of the text
};

/// The character at the beginning of `text`.
Character first_character(std::string_view text);

/// What Go's `unicode.IsSpace` takes for one, as BuildKit does where it splits words.
bool is_space(char32_t character);
/// A letter of the scripts that people write in; decides where the name of a variable ends.
bool is_letter(char32_t character);
bool is_digit(char32_t character);

/// `text` without the spaces of `is_space` around it.
std::string_view trim_start(std::string_view text);
std::string_view trim_spaces(std::string_view text);

/// ASCII only.
std::string to_upper(std::string_view text);

}  // namespace freshet::dockerfile
