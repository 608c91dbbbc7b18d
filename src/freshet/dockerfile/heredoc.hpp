// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/dockerfile/budget.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::dockerfile {

/// A here-document that an instruction opens; its body follows on the next lines.
struct Heredoc {
  std::string name;  // what ends it, on a line of its own
  bool strips_tabs = false;  // `<<-`: tabs at the beginning of lines do not count
  bool expands = true;  // false when a part of the name is quoted
  std::string content = {};  // as written, line breaks and tabs included

  bool is_ended_by(std::string_view line) const;
  /// `content` without the tabs that do not count.
  std::string effective_content() const;
  bool operator==(const Heredoc&) const = default;
};

/// What a word such as `<<EOF`, `<<-EOF` or `3<<"EOF"` opens; nullopt when it is no such word.
/// Throws: invalid_input, when its quotes are not closed.
std::optional<Heredoc> parse_heredoc(std::string_view word, Budget& budget);

/// The here-documents that `text` opens, in order. A quoted `"<<EOF"` and the here-string `<<<`
/// open none. Throws: as above.
std::vector<Heredoc> find_heredocs(std::string_view text, Budget& budget);

}  // namespace freshet::dockerfile
