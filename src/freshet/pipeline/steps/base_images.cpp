// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/base_images.hpp"

#include "freshet/base/text.hpp"
#include "freshet/dockerfile/from.hpp"
#include "freshet/dockerfile/instructions.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

namespace freshet::pipeline {
namespace {

using Values = std::map<std::string, std::string, std::less<>>;

std::string unquoted(std::string_view text) {
  const bool is_quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
                         text.back() == text.front();
  return std::string(is_quoted ? text.substr(1, text.size() - 2) : text);
}

std::size_t name_length(std::string_view text) {
  const auto* const end = std::ranges::find_if(
      text, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_'; });
  return static_cast<std::size_t>(end - text.begin());
}

/// Puts in `$NAME`, `${NAME}` and `${NAME:-default}`; an empty text when something stays open.
std::string expand(std::string_view text, const Values& values) {
  std::string out;
  while (!text.empty()) {
    if (text.front() != '$') {
      out += text.front();
      text.remove_prefix(1);
      continue;
    }
    text.remove_prefix(1);
    const bool is_braced = text.starts_with('{');
    const std::size_t close = text.find('}');
    if (is_braced && close == std::string_view::npos) {
      return {};
    }
    const std::string_view inside =
        is_braced ? text.substr(1, close - 1) : text.substr(0, name_length(text));
    text.remove_prefix(is_braced ? close + 1 : inside.size());
    const std::size_t length = name_length(inside);
    const auto found = values.find(inside.substr(0, length));
    const std::string_view rest = inside.substr(length);
    if (!rest.empty() && !rest.starts_with(":-")) {
      return {};
    }
    if (found != values.end() && !found->second.empty()) {
      out += found->second;
    } else if (rest.starts_with(":-")) {
      out += rest.substr(2);
    } else {
      return {};
    }
  }
  return out;
}

/// `ARG NAME=value` before the first stage; what the build gives wins.
Values global_arguments(
    const std::vector<dockerfile::Instruction>& instructions,
    const std::vector<std::pair<std::string, std::string>>& given) {
  Values values;
  for (const dockerfile::Instruction& instruction : instructions) {
    if (instruction.stage_index >= 0 || instruction.keyword != "ARG") {
      continue;
    }
    std::vector<std::string> words = dockerfile::words_of(instruction.text);
    words.erase(words.begin());  // ARG itself
    for (const std::string& word : words) {
      const std::size_t equals = word.find('=');
      const std::string name = word.substr(0, equals);
      const auto own = std::ranges::find(given, name, &std::pair<std::string, std::string>::first);
      if (own != given.end()) {
        values[name] = own->second;
      } else if (equals != std::string::npos) {
        values[name] = expand(unquoted(std::string_view(word).substr(equals + 1)), values);
      }
    }
  }
  return values;
}

/// The words in which an instruction names where it copies or mounts from.
std::vector<std::string> sources_of(const dockerfile::Instruction& instruction) {
  constexpr std::string_view k_flag = "--from=";
  constexpr std::string_view k_mount = "--mount=";
  constexpr std::string_view k_from = "from=";
  std::vector<std::string> out;
  std::vector<std::string> words = dockerfile::words_of(instruction.text);
  words.erase(words.begin());  // the keyword
  for (const std::string& word : words) {
    if (!word.starts_with("--")) {
      break;  // flags come first
    }
    if (instruction.keyword == "COPY" && word.starts_with(k_flag)) {
      out.push_back(word.substr(k_flag.size()));
    }
    if (instruction.keyword == "RUN" && word.starts_with(k_mount)) {
      for (const std::string& part : split(word.substr(k_mount.size()), ',')) {
        if (part.starts_with(k_from)) {
          out.push_back(part.substr(k_from.size()));
        }
      }
    }
  }
  return out;
}

/// The images that stages copy or mount from without being stages themselves.
std::vector<std::string> copied_images(const std::vector<dockerfile::Instruction>& instructions) {
  std::set<std::string> stages;
  std::vector<std::string> out;
  for (const dockerfile::Instruction& instruction : instructions) {
    stages.insert(instruction.stage_name);
    for (const std::string& from : sources_of(instruction)) {
      const bool is_number =
          std::ranges::all_of(from, [](unsigned char c) { return std::isdigit(c) != 0; });
      if (!is_number && !stages.contains(to_lower(from))) {
        out.push_back(from);
      }
    }
  }
  return out;
}

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
  const std::vector<dockerfile::Instruction> instructions =
      dockerfile::parse_instructions(dockerfile);
  const Values values = global_arguments(instructions, arguments);
  std::vector<std::string> written = dockerfile::base_images(instructions);
  for (std::string& image : copied_images(instructions)) {
    written.push_back(std::move(image));
  }
  std::vector<std::string> out;
  for (const std::string& image : written) {
    std::string expanded = expand(image, values);
    if (!expanded.empty() && std::ranges::find(out, expanded) == out.end()) {
      out.push_back(std::move(expanded));
    }
  }
  return out;
}

std::string rename_base_images(
    std::string_view dockerfile, const std::map<std::string, std::string>& names) {
  std::set<int> lines;
  for (const dockerfile::Instruction& instruction : dockerfile::parse_instructions(dockerfile)) {
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
