// SPDX-License-Identifier: Apache-2.0
#include "freshet/cli/copy_list.hpp"

#include "freshet/base/text.hpp"

#include <fmt/format.h>

namespace freshet::cli {
namespace {

constexpr std::string_view k_blanks = " \t\r";
constexpr std::size_t k_max_shown = 255;

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  for (;;) {
    const std::size_t start = line.find_first_not_of(k_blanks);
    if (start == std::string_view::npos || line[start] == '#') {
      return words;
    }
    line.remove_prefix(start);
    const std::size_t end = std::min(line.find_first_of(k_blanks), line.size());
    words.emplace_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

}  // namespace

std::vector<ListedCopy> parse_copy_list(std::string_view text, const std::string& file) {
  std::vector<ListedCopy> copies;
  SourcePosition at;
  at.file = file;
  at.column = 1;
  for (at.line = 1; !text.empty(); ++at.line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    std::vector<std::string> words = words_of(line);
    if (words.empty()) {
      continue;
    }
    if (words.size() != 2) {
      Error error(
          ErrorCode::invalid_input,
          fmt::format("'{}' is not a copy", printable(trim(line), k_max_shown)));
      error.set_position_if_unknown(at);
      throw std::move(error).with_hint("write the image and where it goes: SRC DST");
    }
    copies.push_back({std::move(words[0]), std::move(words[1]), at});
  }
  if (copies.empty()) {
    throw Error(ErrorCode::invalid_input, fmt::format("'{}' has no copy in it", file))
        .with_hint("write one on each line: SRC DST");
  }
  return copies;
}

}  // namespace freshet::cli
