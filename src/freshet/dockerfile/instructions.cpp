// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/instructions.hpp"

#include "freshet/base/text.hpp"
#include "freshet/dockerfile/from.hpp"
#include "freshet/dockerfile/heredoc.hpp"

#include <algorithm>
#include <array>

namespace freshet::dockerfile {
namespace {

constexpr std::string_view k_blanks = " \t";

/// The lines of the file, one after the other, without their line breaks.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : rest_(text) {
    constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";
    if (rest_.starts_with(k_byte_order_mark)) {
      rest_.remove_prefix(k_byte_order_mark.size());
    }
  }

  std::optional<std::string_view> next() {
    if (rest_.empty()) {
      return std::nullopt;
    }
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    while (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    ++number_;
    return line;
  }

  /// Of the line that `next` gave last.
  int number() const { return number_; }

 private:
  std::string_view rest_;
  int number_ = 0;
};

bool is_comment(std::string_view line) {
  return trim(line).starts_with('#');
}

/// The escape character that the directives at the top of the file choose. They end at the first
/// line that is not one, be it a comment or empty.
char escape_character(std::string_view dockerfile) {
  LineReader lines(dockerfile);
  while (const auto line = lines.next()) {
    const std::size_t equals = line->find('=');
    if (!line->starts_with('#') || equals == std::string_view::npos) {
      break;
    }
    const std::string name = to_lower(trim(line->substr(1, equals - 1)));
    const std::string_view value = trim(line->substr(equals + 1));
    if (name.empty() || value.empty() || name.find_first_of(k_blanks) != std::string::npos) {
      break;
    }
    if (name == "escape" && value == "`") {
      return '`';
    }
  }
  return '\\';
}

/// `line` without the escape character that continues it; nullopt when it does not go on. A doubled
/// escape character is text.
std::optional<std::string_view> continued(std::string_view line, char escape) {
  line = line.substr(0, line.find_last_not_of(k_blanks) + 1);
  if (!line.ends_with(escape)) {
    return std::nullopt;
  }
  line.remove_suffix(1);
  return line.ends_with(escape) ? std::nullopt : std::optional(line);
}

/// Joins `first` with the lines that continue it; comments and empty lines between them are
/// dropped.
std::string read_logical_line(LineReader& lines, std::string_view first, char escape) {
  std::string text;
  std::optional<std::string_view> part = first;
  while (part) {
    const auto going_on = continued(*part, escape);
    if (!going_on) {
      return text.append(*part);
    }
    text.append(*going_on);
    do {
      part = lines.next();
    } while (part && (is_comment(*part) || trim(*part).empty()));
  }
  return text;
}

void skip_heredocs(LineReader& lines, std::string_view text) {
  for (const Heredoc& heredoc : find_heredocs(text)) {
    while (const auto line = lines.next()) {
      if (heredoc.is_ended_by(*line)) {
        break;
      }
    }
  }
}

std::string to_upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return out;
}

bool may_have_heredoc(const Instruction& instruction) {
  constexpr std::array<std::string_view, 3> k_keywords{"RUN", "COPY", "ADD"};
  std::string keyword = instruction.keyword;
  if (keyword == "ONBUILD") {
    const auto words = words_of(instruction.text);
    keyword = words.size() > 1 ? to_upper(words[1]) : "";
  }
  return std::find(k_keywords.begin(), k_keywords.end(), keyword) != k_keywords.end();
}

/// Gives instructions their stage and number as they come.
class StageCounter {
 public:
  void place(Instruction& instruction) {
    bool is_counted = false;
    if (instruction.keyword == "FROM") {
      const From from = parse_from(instruction.text);
      is_counted = !is_internal(from.image);
      ++index_;
      name_ = from.name;
      steps_ = 0;
      if (!name_.empty()) {
        names_.push_back(name_);
      }
    } else {
      constexpr std::array<std::string_view, 4> k_layers{"RUN", "COPY", "ADD", "WORKDIR"};
      is_counted =
          index_ >= 0 &&
          std::find(k_layers.begin(), k_layers.end(), instruction.keyword) != k_layers.end();
    }
    instruction.stage_index = index_;
    instruction.stage_name = name_;
    instruction.step_in_stage = is_counted ? ++steps_ : 0;
  }

 private:
  bool is_internal(const std::string& image) const {
    return image == "scratch" ||
           std::find(names_.begin(), names_.end(), to_lower(image)) != names_.end();
  }

  std::vector<std::string> names_;
  std::string name_;
  int index_ = -1;
  int steps_ = 0;
};

}  // namespace

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!(text = trim(text)).empty()) {
    const std::size_t end = std::min(text.find_first_of(k_blanks), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

From parse_from(std::string_view text) {
  From from;
  std::vector<std::string> words = words_of(text);
  std::erase_if(words, [](const std::string& word) { return word.starts_with("--"); });
  if (words.size() > 1) {
    from.image = words[1];
  }
  if (words.size() > 3 && to_lower(words[2]) == "as") {
    from.name = to_lower(words[3]);
  }
  return from;
}

std::vector<Instruction> parse_instructions(std::string_view dockerfile) {
  const char escape = escape_character(dockerfile);
  std::vector<Instruction> instructions;
  LineReader lines(dockerfile);
  StageCounter stages;
  while (const auto line = lines.next()) {
    if (trim(*line).empty() || is_comment(*line)) {
      continue;
    }
    Instruction instruction;
    instruction.line = lines.number();
    instruction.text = trim(read_logical_line(lines, *line, escape));
    if (instruction.text.empty()) {
      continue;  // nothing but an escape character
    }
    const std::size_t end =
        std::min(instruction.text.find_first_of(k_blanks), instruction.text.size());
    instruction.keyword = to_upper(instruction.text.substr(0, end));
    instruction.text.replace(0, end, instruction.keyword);
    if (may_have_heredoc(instruction)) {
      skip_heredocs(lines, instruction.text);
    }
    instruction.last_line = lines.number();
    stages.place(instruction);
    instructions.push_back(std::move(instruction));
  }
  return instructions;
}

}  // namespace freshet::dockerfile
