// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/lookup.hpp"

#include "freshet/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace freshet::dockerfile {
namespace {

/// `[linux/amd64 builder 2/5] RUN make` in parts.
struct VertexName {
  std::string stage;  // empty when it names none
  int step = 0;
  int total = 0;
  std::string keyword;
  std::string text;
};

std::optional<int> parse_number(std::string_view text) {
  int number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  return code == std::errc() && end == text.data() + text.size() && number > 0
             ? std::optional(number)
             : std::nullopt;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!(text = trim(text)).empty()) {
    const auto [word, rest] = cut_word(text);
    words.emplace_back(word);
    text = rest;
  }
  return words;
}

std::optional<VertexName> parse_vertex_name(std::string_view text) {
  text = trim(text);
  const std::size_t end = text.find(']');
  if (!text.starts_with('[') || end == std::string_view::npos) {
    return std::nullopt;
  }
  const std::vector<std::string> head = words_of(text.substr(1, end - 1));
  VertexName name;
  name.text = trim(text.substr(end + 1));
  const std::vector<std::string> words = words_of(name.text);
  if (head.empty() || words.empty()) {
    return std::nullopt;
  }
  name.keyword = words.front();
  const std::size_t slash = head.back().find('/');
  if (slash == std::string::npos) {
    return std::nullopt;  // `[internal] …`
  }
  const auto step = parse_number(std::string_view(head.back()).substr(0, slash));
  const auto total = parse_number(std::string_view(head.back()).substr(slash + 1));
  if (!step || !total) {
    return std::nullopt;
  }
  name.step = *step;
  name.total = *total;
  // In front of the number: a platform, which has a slash, and a stage, which has none.
  if (head.size() > 1 && head[head.size() - 2].find('/') == std::string::npos) {
    name.stage = to_lower(head[head.size() - 2]);
  }
  return name;
}

using Candidates = std::vector<const Instruction*>;

/// The counted instructions of every stage that may be meant, stage by stage.
std::vector<Candidates> stages_for(
    const std::vector<Instruction>& instructions, const std::string& stage) {
  std::vector<Candidates> stages;
  for (const Instruction& instruction : instructions) {
    const std::string& own = instruction.stage_name;
    const bool is_meant =
        stage.empty() || own == stage ||
        (own.empty() && stage == fmt::format("stage-{}", instruction.stage_index));
    if (instruction.stage_index < 0 || !is_meant) {
      continue;
    }
    if (stages.empty() || stages.back().front()->stage_index != instruction.stage_index) {
      stages.emplace_back();
    }
    if (instruction.step_in_stage > 0 || instruction.keyword == "FROM") {
      stages.back().push_back(&instruction);
    }
  }
  return stages;
}

/// The index of the one that BuildKit counts first. `stage` starts with FROM, counted or not.
int first_counted(const Candidates& stage, const VertexName& name) {
  const int first = stage.front()->step_in_stage > 0 ? 0 : 1;
  // A variable that stands for an earlier stage or `scratch` makes BuildKit not count the FROM.
  const bool may_be_uncounted = stage.front()->text.find('$') != std::string::npos;
  const int counted = static_cast<int>(stage.size()) - first;
  return first == 0 && name.total == counted - 1 && may_be_uncounted ? 1 : first;
}

const Instruction* by_number(const Candidates& stage, const VertexName& name) {
  const int first = first_counted(stage, name);
  const int index = first + name.step - 1;
  if (index >= static_cast<int>(stage.size())) {
    return nullptr;
  }
  const Instruction* found = stage[static_cast<std::size_t>(index)];
  return found->keyword == name.keyword ? found : nullptr;
}

/// By its whole text, when that stands there once.
const Instruction* by_text(const Candidates& stage, const VertexName& name) {
  const auto has_text = [&](const Instruction* candidate) { return candidate->text == name.text; };
  const auto found = std::find_if(stage.begin(), stage.end(), has_text);
  return found != stage.end() && std::none_of(found + 1, stage.end(), has_text) ? *found : nullptr;
}

const Instruction* find_in_stage(const Candidates& stage, const VertexName& name) {
  const Instruction* numbered = by_number(stage, name);
  if (numbered != nullptr && numbered->text == name.text) {
    return numbered;
  }
  const Instruction* same = by_text(stage, name);
  return same != nullptr ? same : numbered;
}

}  // namespace

const Instruction* find_instruction(
    const std::vector<Instruction>& instructions, std::string_view vertex_name) {
  const std::optional<VertexName> name = parse_vertex_name(vertex_name);
  if (!name) {
    return nullptr;
  }
  const Instruction* found = nullptr;
  for (const Candidates& stage : stages_for(instructions, name->stage)) {
    if (const Instruction* candidate = find_in_stage(stage, *name)) {
      if (found != nullptr) {
        return nullptr;  // two stages would fit
      }
      found = candidate;
    }
  }
  return found;
}

bool is_counted_as_written(
    const std::vector<Instruction>& instructions, std::string_view vertex_name) {
  const std::optional<VertexName> name = parse_vertex_name(vertex_name);
  if (!name) {
    return true;
  }
  if (name->step > name->total) {
    return false;
  }
  const std::vector<Candidates> stages = stages_for(instructions, name->stage);
  return std::ranges::any_of(stages, [&](const Candidates& stage) {
    return name->total == static_cast<int>(stage.size()) - first_counted(stage, *name);
  });
}

}  // namespace freshet::dockerfile
