// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace freshet::dockerfile {

/// A here-document that an instruction opens; its body follows on the next lines.
struct Heredoc {
  std::string terminator;
  bool strips_tabs = false;  // `<<-`: tabs in front of the terminator do not count

  bool is_ended_by(std::string_view line) const;
  bool operator==(const Heredoc&) const = default;
};

/// The here-documents that `text` opens, in order: words such as `<<EOF`, `<<-EOF`, `3<<"EOF"`. A
/// quoted `"<<EOF"` and the here-string `<<<` open none.
std::vector<Heredoc> find_heredocs(std::string_view text);

}  // namespace freshet::dockerfile
