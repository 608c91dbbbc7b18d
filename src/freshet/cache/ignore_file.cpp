// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/ignore_file.hpp"

#include "freshet/base/text.hpp"

#include <algorithm>

namespace freshet::cache {

std::vector<std::string> parse_ignore_file(std::string_view text) {
  constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(k_byte_order_mark)) {
    text.remove_prefix(k_byte_order_mark.size());
  }
  std::vector<std::string> patterns;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    // A comment starts in the first column; behind blanks `#` is a pattern's.
    if (!line.starts_with('#') && !trim(line).empty()) {
      patterns.emplace_back(trim(line));
    }
  }
  return patterns;
}

}  // namespace freshet::cache
