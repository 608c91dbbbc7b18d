// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/base_images.hpp"

#include "freshet/dockerfile/file.hpp"
#include "freshet/dockerfile/stages.hpp"

#include <algorithm>
#include <cctype>
#include <set>

namespace freshet::pipeline {
namespace {

bool is_part_of_a_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("._-/:@").find(c) != std::string_view::npos;
}

void replace_words(std::string& line, const std::string& from, const std::string& to) {
  for (std::size_t at = line.find(from); at != std::string::npos; at = line.find(from, at)) {
    const std::size_t end = at + from.size();
    const bool is_whole = (at == 0 || !is_part_of_a_name(line[at - 1])) &&
                          (end == line.size() || !is_part_of_a_name(line[end]));
    if (is_whole) {
      line.replace(at, from.size(), to);
    }
    at += is_whole ? to.size() : 1;
  }
}

}  // namespace

std::vector<std::string> find_base_images(
    std::string_view dockerfile,
    const std::vector<std::pair<std::string, std::string>>& arguments) {
  dockerfile::Arguments given;
  for (const auto& [name, value] : arguments) {
    given[name] = value;  // the builder, too, takes the last of several
  }
  return dockerfile::find_images(dockerfile::parse(dockerfile), given);
}

std::string rename_base_images(
    std::string_view dockerfile, const std::map<std::string, std::string>& names) {
  std::set<int> lines;
  for (const dockerfile::Instruction& instruction : dockerfile::parse(dockerfile).instructions) {
    const bool names_images = instruction.keyword == "FROM" || instruction.keyword == "COPY" ||
                              instruction.keyword == "ARG";
    for (int line = instruction.line; names_images && line <= instruction.last_line; ++line) {
      lines.insert(line);
    }
  }
  std::string out;
  for (int number = 1; !dockerfile.empty(); ++number) {
    const std::size_t length = std::min(dockerfile.find('\n'), dockerfile.size() - 1) + 1;
    std::string line(dockerfile.substr(0, length));
    dockerfile.remove_prefix(length);
    if (lines.contains(number)) {
      for (const auto& [from, to] : names) {
        replace_words(line, from, to);
      }
    }
    out += line;
  }
  return out;
}

}  // namespace freshet::pipeline
