// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace freshet {

/// Cuts a byte stream into lines. `\r\n` ends a line like `\n`; a line longer than
/// `k_max_line_bytes` is handed on in pieces so that memory stays bounded.
class LineSplitter {
 public:
  static constexpr std::size_t k_max_line_bytes = 64 * 1024;

  explicit LineSplitter(std::function<void(std::string_view line)> on_line);

  void feed(std::string_view bytes);
  /// Hands on an unfinished last line, if there is one.
  void finish();

 private:
  void append(std::string_view part);
  void end_line();

  std::function<void(std::string_view line)> on_line_;
  std::string pending_;
  bool is_continued_ = false;  // a piece of the current line has been handed on
};

}  // namespace freshet
