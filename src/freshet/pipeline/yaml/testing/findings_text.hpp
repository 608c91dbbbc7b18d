// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/diagnostics.hpp"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace freshet::pipeline::testing {

/// Every finding as `line:column error: message (hint)`, sorted, so that a test can name them all.
inline std::vector<std::string> to_texts(const Diagnostics& diagnostics) {
  std::vector<std::string> out;
  for (const Diagnostic& finding : diagnostics.sorted()) {
    out.push_back(fmt::format(
        "{}:{} {}: {}{}",
        finding.at.line,
        finding.at.column,
        finding.severity == Severity::error ? "error" : "warning",
        finding.message,
        finding.hint.empty() ? "" : fmt::format(" ({})", finding.hint)));
  }
  return out;
}

}  // namespace freshet::pipeline::testing
