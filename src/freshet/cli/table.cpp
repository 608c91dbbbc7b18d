// SPDX-License-Identifier: Apache-2.0
#include "freshet/cli/table.hpp"

#include "freshet/cli/progress/terminal_text.hpp"

#include <algorithm>
#include <numeric>

namespace freshet::cli {
namespace {

constexpr std::size_t k_gap = 2;
constexpr std::size_t k_least_shrunk = 20;

/// Of the column numbered `shrinking`, when all `widths` must fit into `columns`.
std::size_t shrunk_width(
    const std::vector<std::size_t>& widths, std::size_t shrinking, std::size_t columns) {
  const std::size_t gaps = k_gap * (widths.size() - 1);
  const std::size_t whole = std::accumulate(widths.begin(), widths.end(), gaps);
  const std::size_t surplus = whole > columns ? whole - columns : 0;
  const std::size_t width = widths[shrinking];
  const std::size_t least = std::min(width, k_least_shrunk);
  return std::max(width - std::min(width, surplus), least);
}

}  // namespace

std::string Table::text(std::optional<std::size_t> columns) const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], width_of(row[i]));
    }
  }
  if (columns && shrinking_) {
    widths.at(*shrinking_) = shrunk_width(widths, *shrinking_, *columns);
  }
  std::string out;
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string entry = fit_middle(row[i], widths[i]);
      out += entry;
      if (i + 1 < row.size()) {
        out += std::string(widths[i] - width_of(entry) + k_gap, ' ');
      }
    }
    out += "\n";
  }
  return out;
}

void Table::print(std::FILE* out) const {
  const std::string lines = text(terminal_columns(out));
  std::fwrite(lines.data(), 1, lines.size(), out);
}

}  // namespace freshet::cli
