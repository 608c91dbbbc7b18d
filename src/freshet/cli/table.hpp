// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

namespace freshet::cli {

/// Rows of text in columns as wide as their widest entry, printed at once. The first row is the
/// heading. What goes to a pipe or file is whole, however wide.
class Table {
 public:
  explicit Table(std::vector<std::string> heading) { rows_.push_back(std::move(heading)); }
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  /// In a terminal that is too narrow for the table, this column gives way: its entries are cut in
  /// the middle.
  void let_shrink(std::size_t column) { shrinking_ = column; }
  void print(std::FILE* out) const;
  /// What `print` prints in a terminal of so many columns; nullopt: in none.
  std::string text(std::optional<std::size_t> columns) const;

 private:
  std::vector<std::vector<std::string>> rows_;
  std::optional<std::size_t> shrinking_;
};

}  // namespace freshet::cli
