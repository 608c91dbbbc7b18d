// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/diagnostics.hpp"
#include "freshet/base/text.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace freshet::pipeline {

/// A place in the file under reading; both count from 1, columns in bytes.
struct YamlPlace {
  int line = 1;
  int column = 1;

  bool operator==(const YamlPlace&) const = default;
};

/// Collects what is wrong in one file: `Diagnostics` with the file's name filled in.
class Findings {
 public:
  /// `diagnostics` is borrowed.
  Findings(std::string file, Diagnostics& diagnostics)
      : file_(std::move(file)), diagnostics_(diagnostics) {}

  SourcePosition position(YamlPlace place) const { return {file_, place.line, place.column}; }

  void error(YamlPlace place, std::string_view message, std::string_view hint = {}) {
    diagnostics_.error(position(place), shown(message), shown(hint));
  }
  void warning(YamlPlace place, std::string_view message, std::string_view hint = {}) {
    diagnostics_.warning(position(place), shown(message), shown(hint));
  }

 private:
  /// Messages quote the file, which may hold line breaks and what terminals obey.
  static std::string shown(std::string_view text) { return printable(text, k_max_message_bytes); }

  static constexpr std::size_t k_max_message_bytes = 400;

  std::string file_;
  Diagnostics& diagnostics_;
};

}  // namespace freshet::pipeline
