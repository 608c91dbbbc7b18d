// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/error.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace freshet::dockerfile {

/// A word of an instruction and where it begins.
struct Word {
  std::string text;
  SourcePosition at;
  bool operator==(const Word&) const = default;
};

/// A logical line: the lines that escape characters join, and where its bytes come from.
class LogicalLine {
 public:
  explicit LogicalLine(std::string file) : file_(std::move(file)) {}

  /// `column` counts bytes from 1.
  void append(std::string_view piece, int line, int column);

  std::string_view text() const { return text_; }
  int first_line() const { return pieces_.empty() ? 0 : pieces_.front().line; }
  /// Of the byte at `offset`, which may be the end.
  SourcePosition position_of(std::size_t offset) const;
  /// `part` must be a piece of `text()`.
  SourcePosition position_of(std::string_view part) const;

 private:
  struct Piece {
    std::size_t offset = 0;
    int line = 0;
    int column = 0;
  };

  std::string file_;
  std::string text_;
  std::vector<Piece> pieces_;
};

/// The first word and the rest behind the blanks that end it; blanks are those of one line.
std::pair<std::string_view, std::string_view> cut_word(std::string_view text);

/// Words in what is left of a logical line; `text` is a piece of that line.
/// Source: BuildKit, frontend/dockerfile/parser.
class WordReader {
 public:
  WordReader(const LogicalLine& line, std::string_view text, char escape)
      : line_(line), rest_(text), escape_(escape) {}

  /// Takes the words in front that begin with `--`, without their quotes and escapes. A lone `--`
  /// ends them.
  std::vector<Word> take_flags();
  /// What is left, trimmed.
  std::string_view rest() const { return rest_; }

  /// The rest cut at blanks, quotes being nothing special.
  std::vector<Word> split_blanks() const;
  /// The rest cut at spaces outside of quotes; quotes and escapes stay.
  std::vector<Word> split_quoted() const;

 private:
  Word word(std::string text, std::size_t size_left) const;

  const LogicalLine& line_;
  std::string_view rest_;
  char escape_;
};

/// What `["a", "b"]` says: its texts; `not_json`, so that it is a shell's command; or
/// `not_texts`: a list of something else, which is a mistake.
enum class JsonProblem { not_json, not_texts };
std::variant<JsonProblem, std::vector<std::string>> parse_json_texts(std::string_view text);

}  // namespace freshet::dockerfile
