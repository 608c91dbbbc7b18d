// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/instruction_words.hpp"

#include "freshet/base/text.hpp"
#include "freshet/dockerfile/characters.hpp"

#include <fmt/format.h>

#include <map>

namespace freshet::dockerfile {
namespace {

constexpr std::size_t k_max_shown = 60;

/// How the text behind a keyword is cut.
enum class Form {
  text,
  blanks,
  quoted,  // at spaces outside of quotes
  settings,  // `name value`, or `name=value` several times
  json_or_text,
  json_or_blanks,
  health,
  instruction,
};

const std::map<std::string_view, Form>& forms() {
  static const std::map<std::string_view, Form> forms{
      {"ADD", Form::json_or_blanks},
      {"ARG", Form::quoted},
      {"CMD", Form::json_or_text},
      {"COPY", Form::json_or_blanks},
      {"ENTRYPOINT", Form::json_or_text},
      {"ENV", Form::settings},
      {"EXPOSE", Form::blanks},
      {"FROM", Form::blanks},
      {"HEALTHCHECK", Form::health},
      {"LABEL", Form::settings},
      {"MAINTAINER", Form::text},
      {"ONBUILD", Form::instruction},
      {"RUN", Form::json_or_text},
      {"SHELL", Form::json_or_text},
      {"STOPSIGNAL", Form::text},
      {"USER", Form::text},
      {"VOLUME", Form::json_or_blanks},
      {"WORKDIR", Form::text},
  };
  return forms;
}

class Reader {
 public:
  Reader(Instruction& instruction, const LogicalLine& line, char escape, Diagnostics& diagnostics)
      : instruction_(instruction),
        line_(line),
        escape_(escape),
        words_(line, cut_word(trim_spaces(line.text())).second, escape),
        diagnostics_(diagnostics) {}

  bool read() {
    instruction_.flags = words_.take_flags();
    const auto form = forms().find(instruction_.keyword);
    if (form == forms().end()) {
      return refuse_unknown();
    }
    switch (form->second) {
      case Form::text:
        return take_text(words_.rest());
      case Form::blanks:
        instruction_.arguments = words_.split_blanks();
        return true;
      case Form::quoted:
        instruction_.arguments = words_.split_quoted();
        return true;
      case Form::settings:
        return read_settings();
      case Form::json_or_text:
        return read_json(words_.rest()).value_or(true) && take_text_if_not_json(words_.rest());
      case Form::json_or_blanks:
        return read_json_or_blanks();
      case Form::health:
        return read_health();
      case Form::instruction:
        return read_trigger();
    }
    return false;
  }

 private:
  bool refuse(const SourcePosition& at, std::string message, std::string hint = {}) {
    diagnostics_.error(at, std::move(message), std::move(hint));
    return false;
  }

  bool refuse_unknown() {
    std::vector<std::string> known;
    for (const auto& entry : forms()) {
      known.emplace_back(entry.first);
    }
    const auto near = nearest(instruction_.keyword, known);
    return refuse(
        instruction_.at,
        fmt::format("there is no instruction '{}'", printable(instruction_.keyword, k_max_shown)),
        near ? fmt::format("did you mean {}?", *near)
             : "a line that goes on with the next one ends in the escape character");
  }

  bool take_text(std::string_view text) {
    if (!text.empty()) {
      instruction_.arguments.push_back({std::string(text), line_.position_of(text)});
    }
    return true;
  }

  bool take_text_if_not_json(std::string_view text) {
    return instruction_.is_json || take_text(text);
  }

  /// nullopt when it is no JSON; false when it is JSON of the wrong kind.
  std::optional<bool> read_json(std::string_view text) {
    auto parsed = parse_json_texts(text);
    if (const auto* problem = std::get_if<JsonProblem>(&parsed)) {
      if (*problem == JsonProblem::not_json) {
        return std::nullopt;
      }
      return refuse(
          line_.position_of(text), "the list holds something that is no text", "quote each word");
    }
    instruction_.is_json = true;
    for (std::string& word : std::get<std::vector<std::string>>(parsed)) {
      instruction_.arguments.push_back({std::move(word), line_.position_of(text)});
    }
    return true;
  }

  bool read_json_or_blanks() {
    const std::optional<bool> json = read_json(words_.rest());
    if (!json) {
      instruction_.arguments = words_.split_blanks();
    }
    return json.value_or(true);
  }

  bool read_health() {
    const auto [kind, command] = cut_word(words_.rest());
    return take_text(kind) && read_json(command).value_or(true) && take_text_if_not_json(command);
  }

  bool read_settings() {
    const std::vector<Word> words = words_.split_quoted();
    if (!words.empty() && words.front().text.find('=') == std::string::npos) {
      const auto [name, value] = cut_word(words_.rest());
      if (value.empty()) {
        return refuse(
            line_.position_of(name),
            fmt::format("'{}' has no value", printable(name, k_max_shown)),
            fmt::format("write {} name=value", instruction_.keyword));
      }
      return take_text(name) && take_text(value);
    }
    for (const Word& word : words) {
      const std::size_t equals = word.text.find('=');
      if (equals == std::string::npos) {
        return refuse(
            word.at,
            fmt::format("'{}' has no '='", printable(word.text, k_max_shown)),
            "a value with blanks needs quotes: name=\"a b\"");
      }
      instruction_.arguments.push_back({word.text.substr(0, equals), word.at});
      instruction_.arguments.push_back({word.text.substr(equals + 1), word.at});
    }
    return true;
  }

  /// The instruction behind ONBUILD must have a sound syntax; what else is wrong with it is told to
  /// whoever builds on this image.
  bool read_trigger() {
    const std::string keyword = to_upper(cut_word(words_.rest()).first);
    if (forms().count(keyword) == 0 || keyword == "ONBUILD" || keyword == "FROM") {
      return true;
    }
    const SourcePosition at = line_.position_of(words_.rest());
    LogicalLine line(at.file);
    line.append(words_.rest(), at.line, at.column);
    Instruction trigger;
    const bool is_sound = read_words(trigger, line, escape_, diagnostics_);
    instruction_.is_json = trigger.is_json;
    return is_sound;
  }

  Instruction& instruction_;
  const LogicalLine& line_;
  char escape_;
  WordReader words_;
  Diagnostics& diagnostics_;
};

}  // namespace

bool read_words(
    Instruction& instruction, const LogicalLine& line, char escape, Diagnostics& diagnostics) {
  const std::string_view text = trim_spaces(line.text());
  const std::string_view keyword = cut_word(text).first;
  instruction.at = line.position_of(keyword);
  instruction.line = line.first_line();
  instruction.keyword = to_upper(keyword);
  instruction.text = instruction.keyword;
  instruction.text += text.substr(keyword.size());
  return Reader(instruction, line, escape, diagnostics).read();
}

std::string inner_keyword(const Instruction& instruction) {
  return instruction.keyword == "ONBUILD"
             ? to_upper(cut_word(cut_word(instruction.text).second).first)
             : instruction.keyword;
}

}  // namespace freshet::dockerfile
