// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/diagnostics.hpp"

#include "freshet/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace freshet {
namespace {

constexpr std::size_t k_max_shown_line = 160;

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

/// The start of the UTF-8 character that byte `at` belongs to.
std::size_t character_start(std::string_view line, std::size_t at) {
  while (at > 0 && at < line.size() && is_continuation(line[at])) {
    --at;
  }
  return at;
}

/// Without what a terminal would obey: the file may come from anybody.
std::string harmless(std::string_view line) {
  std::string out(line);
  std::replace_if(
      out.begin(),
      out.end(),
      [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F; },
      '?');
  return out;
}

/// The line with a caret below the column. Tabs are kept in front of the caret so that it lands
/// where the terminal shows the character; long lines are shown from near the column on.
std::string excerpt(std::string_view line, int column) {
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  std::size_t at = column > 0 ? static_cast<std::size_t>(column - 1) : 0;
  at = std::min(at, line.size());
  std::string prefix;
  if (at > k_max_shown_line / 2) {
    const std::size_t cut = character_start(line, at - k_max_shown_line / 4);
    line.remove_prefix(cut);
    at -= cut;
    prefix = "...";
  }
  const std::string_view tail = line.size() > k_max_shown_line ? "..." : "";
  line = line.substr(0, character_start(line, k_max_shown_line));
  std::string caret(prefix.size(), ' ');
  for (const char c : line.substr(0, at)) {
    if (c == '\t') {
      caret += '\t';
    } else if (!is_continuation(c)) {  // one blank a code point
      caret += ' ';
    }
  }
  return fmt::format("    {}{}{}\n    {}^\n", prefix, harmless(line), tail, caret);
}

}  // namespace

void Diagnostics::error(SourcePosition at, std::string message, std::string hint) {
  findings_.push_back({Severity::error, std::move(at), std::move(message), std::move(hint)});
}

void Diagnostics::warning(SourcePosition at, std::string message, std::string hint) {
  findings_.push_back({Severity::warning, std::move(at), std::move(message), std::move(hint)});
}

bool Diagnostics::has_errors() const {
  return std::any_of(findings_.begin(), findings_.end(), [](const Diagnostic& finding) {
    return finding.severity == Severity::error;
  });
}

std::vector<Diagnostic> Diagnostics::sorted() const {
  std::vector<Diagnostic> out = findings_;
  std::stable_sort(out.begin(), out.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.at.line, a.at.column) < std::tie(b.at.line, b.at.column);
  });
  return out;
}

std::string render(const Diagnostics& diagnostics, std::string_view source) {
  const std::vector<std::string> lines = split(source, '\n');
  std::string out;
  for (const Diagnostic& finding : diagnostics.sorted()) {
    const std::string_view kind = finding.severity == Severity::error ? "error" : "warning";
    const std::string place = to_string(finding.at);
    out += fmt::format("{}{}{}: {}\n", place, place.empty() ? "" : ": ", kind, finding.message);
    if (finding.at.is_known() && static_cast<std::size_t>(finding.at.line) <= lines.size()) {
      out += excerpt(lines[static_cast<std::size_t>(finding.at.line - 1)], finding.at.column);
    }
    if (!finding.hint.empty()) {
      out += fmt::format("    hint: {}\n", finding.hint);
    }
  }
  return out;
}

}  // namespace freshet
