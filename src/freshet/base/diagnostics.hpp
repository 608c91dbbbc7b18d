// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace freshet {

enum class Severity { error, warning };

/// One finding about a text that a user wrote.
struct Diagnostic {
  Severity severity = Severity::error;
  SourcePosition at;
  std::string message;
  std::string hint;  // may be empty
};

/// All findings about one text. Parsing of user text never stops at the first problem.
class Diagnostics {
 public:
  void error(SourcePosition at, std::string message, std::string hint = {});
  void warning(SourcePosition at, std::string message, std::string hint = {});

  bool has_errors() const;
  bool is_empty() const { return findings_.empty(); }
  /// In the order of their positions; those without one come first.
  std::vector<Diagnostic> sorted() const;

 private:
  std::vector<Diagnostic> findings_;
};

/// Every finding as `file:line:column: error: message` with the line of `source` and a caret under
/// the column, and the hint; for a terminal or a log.
std::string render(const Diagnostics& diagnostics, std::string_view source);

}  // namespace freshet
