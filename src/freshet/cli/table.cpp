// SPDX-License-Identifier: Apache-2.0
#include "freshet/cli/table.hpp"

#include "freshet/cli/progress/terminal_text.hpp"

#include <algorithm>

namespace freshet::cli {

void Table::print(std::FILE* out) const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], width_of(row[i]));
    }
  }
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) {
        line += std::string(widths[i] - width_of(row[i]) + 2, ' ');
      }
    }
    line += "\n";
    std::fwrite(line.data(), 1, line.size(), out);
  }
}

}  // namespace freshet::cli
