// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/container/small_vector.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace freshet::engine {

/// One pattern over relative paths: `*` any run without `/`, `?` one character but `/`, `[a-z]`
/// and `[^a-z]` one character of a class, `\` takes the next character as it is, `**/` any number
/// of directories including none, `**` at the end everything below.
///
/// Matching is a walk over the live positions in the pattern, so it is linear in the path for any
/// pattern and can be resumed: the state after `dir/` is computed once for all entries of `dir`.
/// Source: Docker documentation, ".dockerignore files"; Go documentation of path/filepath.Match.
class Pattern {
 public:
  /// The positions that are still alive after some text; empty when no continuation can match.
  using State = boost::container::small_vector<std::uint16_t, 6>;

  /// `text` is cleaned first: no leading or doubled `/`, no `.`; `..` is resolved but never above
  /// the root. Throws: invalid_input (unclosed class, `\` at the end, longer than 16 KiB).
  static Pattern parse(std::string_view text);

  State start() const;
  /// `text` must not cut a UTF-8 character.
  State advance(const State& from, std::string_view text) const;
  bool accepts(const State& state) const;

  bool matches(std::string_view path) const;
  /// Whether some path below the directory `path` could match.
  bool can_match_below(std::string_view path) const;

 private:
  enum class Kind { character, any_character, any_run, character_class, directories, everything };

  struct Token {
    Kind kind = Kind::character;
    char32_t character = 0;
    bool negated = false;  // of a class
    std::vector<std::pair<char32_t, char32_t>> ranges;  // of a class, both ends included
  };

  void add_class(std::string_view text, std::size_t& at);
  void add(State& state, std::size_t position) const;
  void step(std::uint16_t position, char32_t character, State& next) const;

  std::vector<Token> tokens_;
};

/// `text` with every character escaped that means something in a pattern.
std::string escape_pattern(std::string_view text);

/// Resolves `.`, `..` (never above the root) and doubled slashes; the result is relative and has no
/// slash at its end; the root is the empty string.
std::string clean_path(std::string_view path);

}  // namespace freshet::engine
