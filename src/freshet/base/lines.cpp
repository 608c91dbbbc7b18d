// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/lines.hpp"

#include <algorithm>

namespace freshet {

LineSplitter::LineSplitter(std::function<void(std::string_view line)> on_line)
    : LineSplitter(
          [on_line = std::move(on_line)](const LinePiece& piece) { on_line(piece.text()); },
          [] { return std::size_t(0); }) {}

LineSplitter::LineSplitter(
    std::function<void(const LinePiece& piece)> on_piece, std::function<std::size_t()> margin)
    : on_piece_(std::move(on_piece)), margin_(std::move(margin)) {}

void LineSplitter::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    append(bytes.substr(0, end));
    if (end == std::string_view::npos) {
      return;
    }
    end_line();
    bytes.remove_prefix(end + 1);
  }
}

void LineSplitter::finish() {
  if (waiting_bytes() > 0) {
    end_line();
  }
  pending_.clear();
  handed_on_ = 0;
  is_continued_ = false;
}

void LineSplitter::append(std::string_view part) {
  while (!part.empty()) {
    const std::size_t size = std::min(part.size(), k_max_line_bytes);
    pending_ += part.substr(0, size);
    part.remove_prefix(size);
    if (waiting_bytes() > k_max_line_bytes) {
      hand_on_pieces(margin_());
    }
  }
}

void LineSplitter::end_line() {
  if (waiting_bytes() > 0 && pending_.back() == '\r') {
    pending_.pop_back();
  }
  hand_on_pieces(0);
  // Nothing but the line break is left of a line that was handed on in pieces.
  if (waiting_bytes() > 0 || !is_continued_) {
    hand_on(waiting_bytes());
  }
  pending_.clear();
  handed_on_ = 0;
  is_continued_ = false;
}

void LineSplitter::hand_on(std::size_t size) {
  on_piece_({pending_, handed_on_, handed_on_ + size});
  handed_on_ += size;
  is_continued_ = true;
}

void LineSplitter::hand_on_pieces(std::size_t kept) {
  while (waiting_bytes() > k_max_line_bytes + kept) {
    hand_on(k_max_line_bytes);
    const std::size_t spare = handed_on_ - std::min(handed_on_, margin_());
    pending_.erase(0, spare);
    handed_on_ -= spare;
  }
}

}  // namespace freshet
