// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/text.hpp"
#include "freshet/cache/image_key.hpp"
#include "freshet/dockerfile/from.hpp"
#include "freshet/dockerfile/instructions.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::cache {
namespace {

/// Whether ADD may fetch `source` from elsewhere: a URL, `host` and path of a git repository, or
/// what a variable could make one. A path with a folder in front of the variable cannot be one.
bool may_be_remote(std::string_view source) {
  const bool is_remote = source.find("://") != std::string_view::npos ||
                         source.starts_with("github.com/") || source.find('@') < source.find(':');
  const std::size_t variable = source.find('$');
  const bool is_open = variable != std::string_view::npos && source.find('/') > variable;
  return is_remote || is_open;
}

/// The sources of `ADD`, of the list form too; the quotes of words go.
std::vector<std::string> sources_of(const std::vector<std::string>& words) {
  std::vector<std::string> sources;
  for (std::string word : words) {
    std::erase_if(
        word, [](char c) { return std::string_view("[]\"',").find(c) != std::string_view::npos; });
    sources.push_back(std::move(word));
  }
  return sources;
}

/// The name of a remote source that nothing pins; empty when there is none.
std::string find_unpinned_source(const dockerfile::Instruction& instruction) {
  std::vector<std::string> words = dockerfile::words_of(instruction.text);
  words.erase(words.begin());  // ADD itself
  const auto is_flag = [](const std::string& word) { return word.starts_with("--"); };
  const auto is_checksum = [](const std::string& word) { return word.starts_with("--checksum="); };
  const auto first = std::ranges::find_if_not(words, is_flag);
  if (std::any_of(words.begin(), first, is_checksum)) {
    return {};
  }
  const std::vector<std::string> sources = sources_of({first, words.end()});
  const auto found = std::ranges::find_if(sources, may_be_remote);
  return found == sources.end() ? std::string() : *found;
}

}  // namespace

std::string why_open_ended(std::string_view dockerfile) {
  for (const dockerfile::Instruction& instruction : dockerfile::parse_instructions(dockerfile)) {
    if (instruction.keyword != "ADD") {
      continue;
    }
    const std::string source = find_unpinned_source(instruction);
    if (!source.empty()) {
      return fmt::format(
          "line {} adds '{}', which may change elsewhere: give it a --checksum, or COPY it",
          instruction.line,
          printable(source, 200));
    }
  }
  return {};
}

std::string find_frontend(std::string_view dockerfile) {
  while (!dockerfile.empty()) {
    const std::size_t end = std::min(dockerfile.find('\n'), dockerfile.size());
    std::string_view line = trim(dockerfile.substr(0, end));
    dockerfile.remove_prefix(std::min(end + 1, dockerfile.size()));
    if (line.starts_with("\xEF\xBB\xBF")) {
      line.remove_prefix(3);
    }
    if (!line.empty() && !line.starts_with('#') && !line.starts_with("//")) {
      return {};  // directives stand before everything else
    }
    const std::size_t equals = line.find('=');
    const std::size_t name = std::min(line.find_first_not_of("#/ \t"), line.size());
    if (equals != std::string_view::npos && name < equals &&
        to_lower(trim(line.substr(name, equals - name))) == "syntax") {
      return std::string(trim(line.substr(equals + 1)));
    }
  }
  return {};
}

}  // namespace freshet::cache
