// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

namespace freshet::cli {

/// A line of foreign output made safe for a terminal: escape sequences and control characters are
/// taken out, so that it can neither move the cursor, retitle the window nor write to the
/// clipboard. Of a line that redraws itself by carriage returns the last state remains.
/// `keep_colours` lets colour and style sequences (SGR) through; the caller resets after the line.
std::string terminal_safe(std::string_view line, bool keep_colours);

/// `text` cut to `columns`, counting code points, with `…` when cut. For texts without escapes.
std::string fit(std::string_view text, std::size_t columns);

/// The same, cut in the middle, so that both ends remain.
std::string fit_middle(std::string_view text, std::size_t columns);

/// The number of code points.
std::size_t width_of(std::string_view text);

/// The width of the terminal that `out` is; nullopt when it is none, or too narrow for anything.
std::optional<std::size_t> terminal_columns(std::FILE* out);

}  // namespace freshet::cli
