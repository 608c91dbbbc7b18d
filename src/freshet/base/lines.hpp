// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace freshet {

/// A line or, of one that is too long, a piece: what is between the offsets `begin` and `end` of
/// `surroundings`. Around it is what else of the same line is known yet.
struct LinePiece {
  std::string_view surroundings;
  std::size_t begin = 0;
  std::size_t end = 0;

  std::string_view text() const { return surroundings.substr(begin, end - begin); }
};

/// Cuts a byte stream into lines. `\r\n` ends a line like `\n`; a line longer than
/// `k_max_line_bytes` is handed on in pieces so that memory stays bounded.
class LineSplitter {
 public:
  static constexpr std::size_t k_max_line_bytes = 64 * 1024;

  explicit LineSplitter(std::function<void(std::string_view line)> on_line);
  /// For who has to see that many bytes around a cut (asked for at each): every piece comes with
  /// them, as far as the line has them, and is kept back until they are there.
  LineSplitter(
      std::function<void(const LinePiece& piece)> on_piece, std::function<std::size_t()> margin);

  void feed(std::string_view bytes);
  /// Hands on an unfinished last line, if there is one.
  void finish();

 private:
  void append(std::string_view part);
  void end_line();
  std::size_t waiting_bytes() const { return pending_.size() - handed_on_; }
  void hand_on(std::size_t size);
  /// Hands on full pieces for as long as more than `kept` bytes of the line wait behind one.
  void hand_on_pieces(std::size_t kept);

  std::function<void(const LinePiece& piece)> on_piece_;
  std::function<std::size_t()> margin_;
  std::string pending_;  // of the current line: a margin of what was handed on, and what was not
  std::size_t handed_on_ = 0;  // how much of `pending_` is only there as margin
  bool is_continued_ = false;  // a piece of the current line has been handed on
};

}  // namespace freshet
