// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/text.hpp"
#include "freshet/dockerfile/characters.hpp"
#include "freshet/dockerfile/file.hpp"
#include "freshet/dockerfile/instruction_body.hpp"
#include "freshet/dockerfile/instruction_words.hpp"
#include "freshet/dockerfile/source_lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace freshet::dockerfile {
namespace {

constexpr std::string_view k_blanks = " \t";
constexpr int k_max_mistakes = 50;

bool is_comment(std::string_view line) {
  return trim_start(line).starts_with('#');
}

bool may_have_heredoc(const Instruction& instruction) {
  constexpr std::array<std::string_view, 3> k_keywords{"RUN", "COPY", "ADD"};
  return !instruction.is_json && instruction.text.find("<<") != std::string::npos &&
         std::ranges::find(k_keywords, inner_keyword(instruction)) != k_keywords.end();
}

/// Gives instructions their stage and number as they come.
class StageCounter {
 public:
  void place(Instruction& instruction) {
    bool is_counted = false;
    if (instruction.keyword == "FROM") {
      ++index_;
      steps_ = 0;
      name_.clear();
      if (const auto* from = std::get_if<From>(&instruction.body)) {
        is_counted = from->image.text != "scratch" && !names_.contains(from->image.text);
        name_ = from->name;
        names_.insert(name_);
      }
    } else {
      constexpr std::array<std::string_view, 4> k_layers{"RUN", "COPY", "ADD", "WORKDIR"};
      is_counted =
          index_ >= 0 && std::ranges::find(k_layers, instruction.keyword) != k_layers.end();
    }
    instruction.stage_index = index_;
    instruction.stage_name = name_;
    instruction.step_in_stage = is_counted ? ++steps_ : 0;
  }

 private:
  std::set<std::string> names_;
  std::string name_;
  int index_ = -1;
  int steps_ = 0;
};

class Parser {
 public:
  Parser(std::string_view text, std::string name) : lines_(text) { file_.name = std::move(name); }

  File parse() && {
    try {
      read_instructions();
    } catch (const Error& error) {  // the text makes too much work
      file_.diagnostics.error({file_.name, lines_.number(), 1}, error.message(), error.hint());
    }
    if (!file_.diagnostics.has_errors() && !has_stage_) {
      file_.diagnostics.error(
          {file_.name, 0, 0}, "the file has no FROM", "begin with the image to start from");
    }
    return std::move(file_);
  }

 private:
  using Line = std::optional<std::string_view>;

  void read_instructions() {
    while (const Line raw = next_line()) {
      const std::string_view line = without_line_break(*raw);
      const std::string_view trimmed = trim_start(line);
      read_directive(trimmed);
      if (trimmed.empty() || is_comment(trimmed)) {
        continue;
      }
      const int column = static_cast<int>(trimmed.data() - raw->data()) + 1;
      const LogicalLine logical = join_lines(trimmed, column);
      if (!trim_spaces(logical.text()).empty()) {
        read_instruction(logical);
      } else {
        refuse(logical.position_of(0), "no instruction follows the escape character", "remove it");
      }
      if (is_over_) {
        return;
      }
    }
  }

  Line next_line() {
    const Line line = lines_.next();
    if (line && without_line_break(*line).size() > k_max_line_bytes) {
      refuse(
          {file_.name, lines_.number(), 1},
          fmt::format("the line has more than {} bytes", k_max_line_bytes));
    }
    return line;
  }

  void refuse(SourcePosition at, std::string message, std::string hint = {}) {
    if (!is_rest_unclear_) {
      file_.diagnostics.error(std::move(at), std::move(message), std::move(hint));
    }
    is_over_ = ++mistakes_ >= k_max_mistakes;
  }

  void read_directive(std::string_view line) {
    const auto found = directive_reader_.read(line);
    if (!found) {
      return;
    }
    const int column = static_cast<int>(found->value.data() - line.data()) + 1;
    Directive directive{
        to_lower(found->name), {std::string(found->value), {file_.name, lines_.number(), column}}};
    const SourcePosition& at = directive.value.at;
    if (std::ranges::count(file_.directives, directive.name, &Directive::name) > 0) {
      return refuse(at, fmt::format("the directive '{}' is there already", directive.name));
    }
    if (directive.name == "escape") {
      if (directive.value.text != "\\" && directive.value.text != "`") {
        return refuse(
            at,
            fmt::format("'{}' cannot be the escape character", printable(found->value, 20)),
            "it is \\ or `");
      }
      file_.escape = directive.value.text.front();
    }
    file_.directives.push_back(std::move(directive));
  }

  /// `line` without the escape character that continues it; nullopt when it does not go on. A
  /// doubled escape character is text.
  Line continued(std::string_view line) const {
    line = line.substr(0, line.find_last_not_of(k_blanks) + 1);
    if (!line.ends_with(file_.escape)) {
      return std::nullopt;
    }
    line.remove_suffix(1);
    return line.ends_with(file_.escape) ? std::nullopt : Line(line);
  }

  /// Joins `part` with the lines that continue it; comments and empty lines between them are
  /// dropped.
  LogicalLine join_lines(std::string_view part, int column) {
    LogicalLine joined(file_.name);
    while (true) {
      const Line going_on = continued(part);
      joined.append(going_on.value_or(part), lines_.number(), column);
      if (!going_on) {
        return joined;
      }
      column = 1;
      Line next = next_line();
      while (next && (is_comment(*next) || trim_start(*next).empty())) {
        next = next_line();
      }
      if (!next) {
        return joined;
      }
      part = without_line_break(*next);
    }
  }

  void read_instruction(const LogicalLine& line) {
    Instruction instruction;
    Diagnostics mistakes;
    const bool is_sound = read_words(instruction, line, file_.escape, mistakes);
    if (may_have_heredoc(instruction)) {
      read_heredocs(instruction, line.text(), mistakes);
    }
    instruction.last_line = lines_.number();
    const std::size_t words = instruction.flags.size() + instruction.arguments.size();
    if (words > k_max_words || instruction.heredocs.size() > k_max_heredocs) {
      mistakes.error(
          instruction.at,
          fmt::format(
              "the instruction has more than {} words or {} here-documents",
              k_max_words,
              k_max_heredocs));
    } else if (is_sound) {
      instruction.body = read_body(instruction, budget_, mistakes);
    }
    stages_.place(instruction);
    has_stage_ = has_stage_ || instruction.keyword == "FROM";
    if (!has_stage_ && is_sound && instruction.keyword != "ARG") {
      mistakes.error(
          instruction.at,
          fmt::format("{} stands in front of the first FROM", instruction.keyword),
          "only ARG may stand there");
    }
    for (const Diagnostic& mistake : mistakes.sorted()) {
      refuse(mistake.at, mistake.message, mistake.hint);
    }
    is_rest_unclear_ = is_rest_unclear_ || has_open_heredoc_;
    file_.instructions.push_back(std::move(instruction));
    if (file_.instructions.size() == k_max_instructions && !is_over_) {
      refuse(
          file_.instructions.back().at,
          fmt::format("the file has {} instructions or more", k_max_instructions));
      is_over_ = true;
    }
  }

  void read_heredocs(Instruction& instruction, std::string_view text, Diagnostics& mistakes) {
    try {
      instruction.heredocs = find_heredocs(text, budget_);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::too_large) {
        throw;
      }
      mistakes.error(instruction.at, error.message(), error.hint());
    }
    const SourceLines behind = lines_;
    for (Heredoc& heredoc : instruction.heredocs) {
      Line line = next_line();
      while (line && !heredoc.is_ended_by(without_line_break(*line))) {
        heredoc.content += *line;
        line = next_line();
      }
      if (!line) {
        mistakes.error(
            instruction.at,
            fmt::format("the here-document '{}' is never ended", printable(heredoc.name, 60)),
            "end it with a line that holds this name and nothing else");
        has_open_heredoc_ = true;
        lines_ = behind;  // builders that know no here-documents read on here
        instruction.heredocs.clear();
        return;
      }
    }
  }

  File file_;
  SourceLines lines_;
  DirectiveReader directive_reader_;
  StageCounter stages_;
  Budget budget_;
  int mistakes_ = 0;
  bool has_stage_ = false;
  bool is_over_ = false;
  bool has_open_heredoc_ = false;
  bool is_rest_unclear_ = false;  // what follows may be the text of a here-document
};

}  // namespace

File parse(std::string_view text, std::string name) {
  if (text.size() > k_max_file_bytes) {
    File file;
    file.diagnostics.error({name, 0, 0}, "the file has more than 4 MiB");
    file.name = std::move(name);
    return file;
  }
  return Parser(text, std::move(name)).parse();
}

}  // namespace freshet::dockerfile
