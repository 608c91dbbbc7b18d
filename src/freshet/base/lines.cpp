// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/lines.hpp"

namespace freshet {

LineSplitter::LineSplitter(std::function<void(std::string_view line)> on_line)
    : on_line_(std::move(on_line)) {}

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
  if (!pending_.empty()) {
    end_line();
  }
  is_continued_ = false;
}

void LineSplitter::append(std::string_view part) {
  while (pending_.size() + part.size() > k_max_line_bytes) {
    const std::size_t room = k_max_line_bytes - pending_.size();
    pending_ += part.substr(0, room);
    part.remove_prefix(room);
    on_line_(pending_);
    pending_.clear();
    is_continued_ = true;
  }
  pending_ += part;
}

void LineSplitter::end_line() {
  if (pending_.ends_with('\r')) {
    pending_.pop_back();
  }
  // Nothing but the line break is left of a line that was handed on in pieces.
  if (!pending_.empty() || !is_continued_) {
    on_line_(pending_);
  }
  pending_.clear();
  is_continued_ = false;
}

}  // namespace freshet
