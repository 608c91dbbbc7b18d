// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/miss_reason.hpp"

#include "freshet/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

namespace freshet::cache {
namespace {

constexpr std::size_t k_max_shown = 80;  // bytes of a text
constexpr std::size_t k_max_named = 10;  // files
constexpr std::size_t k_max_names = 5;  // variables
constexpr std::size_t k_digest_shown = 19;  // `sha256:` and 12 digits

using Values = std::map<std::string, std::string>;

/// `a, b and 3 more`
std::string list_some(const std::vector<std::string>& names, std::size_t limit) {
  std::vector<std::string> shown(
      names.begin(), names.begin() + static_cast<long>(std::min(limit, names.size())));
  for (std::string& name : shown) {
    name = printable(name, k_max_shown);
  }
  return names.size() > limit
             ? fmt::format("{} and {} more", join(shown, ", "), names.size() - limit)
             : join(shown, ", ");
}

/// The names whose values are not the same, with what became of those that are in one only.
std::vector<std::string> find_changes(const Values& before, const Values& now) {
  std::vector<std::string> changes;
  for (const auto& [name, value] : now) {
    const auto known = before.find(name);
    if (known == before.end()) {
      changes.push_back(name + " (new)");
    } else if (known->second != value) {
      changes.push_back(name);
    }
  }
  for (const auto& [name, value] : before) {
    if (!now.contains(name)) {
      changes.push_back(name + " (gone)");
    }
  }
  std::ranges::sort(changes);
  return changes;
}

/// What an instruction was in another build of its stage; nullptr: it was not there.
const RememberedInstruction* find_counterpart(
    const RememberedBuild& now, const RememberedBuild& last, std::size_t node) {
  const RememberedInstruction& own = now.instructions.at(node);
  const auto of_stage = [&](const RememberedBuild& build) {
    std::vector<const RememberedInstruction*> out;
    for (const RememberedInstruction& instruction : build.instructions) {
      if (instruction.stage == own.stage) {
        out.push_back(&instruction);
      }
    }
    return out;
  };
  const auto ours = of_stage(now);
  const auto theirs = of_stage(last);
  const auto says = [](const std::string& text) {
    return [&text](const RememberedInstruction* other) { return other->text == text; };
  };
  const auto place = std::ranges::find(ours, &own);
  // Of several that say the same, the one that as many are in front of.
  auto same = std::count_if(ours.begin(), place, says(own.text));
  for (const RememberedInstruction* other : theirs) {
    if (other->text == own.text && same-- == 0) {
      return other;
    }
  }
  const auto index = static_cast<std::size_t>(place - ours.begin());
  const bool is_rewritten =
      index < theirs.size() && std::ranges::none_of(ours, says(theirs[index]->text));
  return is_rewritten ? theirs[index] : nullptr;
}

std::string short_digest(const std::string& value) {
  return value.substr(0, std::min(value.find(' '), k_digest_shown));
}

std::string explain_images(const Values& before, const Values& now) {
  std::vector<std::string> out;
  for (const auto& [name, value] : now) {
    const auto known = before.find(name);
    if (known != before.end() && known->second != value) {
      out.push_back(
          short_digest(known->second) == short_digest(value)
              ? fmt::format("{} is for another platform", name)
              : fmt::format(
                    "{} moved: {} -> {}", name, short_digest(known->second), short_digest(value)));
    } else if (known == before.end()) {
      const auto gone = std::ranges::find_if(
          before, [&](const auto& image) { return !now.contains(image.first); });
      out.push_back(
          gone == before.end() ? fmt::format("{} is new", name)
                               : fmt::format("{} -> {}", gone->first, name));
    }
  }
  return out.empty() ? std::string() : "image " + join(out, ", ");
}

std::string explain_files(const RememberedInstruction& before, const RememberedInstruction& now) {
  if (before.all_files == now.all_files) {
    return {};
  }
  const bool are_listed =
      before.files.size() == before.file_count && now.files.size() == now.file_count;
  if (!are_listed) {
    return fmt::format("some of its {} files changed", now.file_count);
  }
  const auto changes = find_changes(before.files, now.files);
  return fmt::format(
      "{} changed: {} ({} of {})",
      changes.size() == 1 ? "file" : "files",
      list_some(changes, k_max_named),
      changes.size(),
      now.file_count);
}

std::string explain_variables(
    const RememberedInstruction& before, const RememberedInstruction& now) {
  if (before.all_variables == now.all_variables) {
    return {};
  }
  const bool are_listed = before.variables.size() == before.variable_count &&
                          now.variables.size() == now.variable_count;
  if (!are_listed) {
    return "some of its arguments changed";
  }
  const auto changes = find_changes(before.variables, now.variables);
  return fmt::format(
      "{} changed: {}",
      changes.size() == 1 ? "argument" : "arguments",
      list_some(changes, k_max_names));
}

/// What one text now says that it did not say before.
std::string explain_says(const Values& before, const Values& now) {
  std::set<std::string> subjects;
  for (const auto& [name, value] : now) {
    const auto known = before.find(name);
    if (known != before.end() && known->second == value) {
      continue;
    }
    const bool is_of_scope = name == "user" || name == "directory" || name == "context";
    subjects.insert(is_of_scope ? name : name == "command" ? "shell" : "what its variables give");
  }
  return subjects.empty() ? std::string()
                          : fmt::format("its {} changed", fmt::join(subjects, " and its "));
}

std::string explain_own(const RememberedInstruction& before, const RememberedInstruction& now) {
  std::vector<std::string> reasons;
  const auto add = [&](std::string reason) {
    if (!reason.empty()) {
      reasons.push_back(std::move(reason));
    }
  };
  add(explain_images(before.images, now.images));
  if (before.text != now.text) {
    add(fmt::format(
        "text changed: {} -> {}",
        printable(before.text, k_max_shown),
        printable(now.text, k_max_shown)));
  } else {
    add(explain_says(before.says, now.says));
  }
  add(explain_variables(before, now));
  if (before.text == now.text) {
    add(explain_files(before, now));
  }
  return join(reasons, "; ");
}

/// The other stages of which an instruction is made.
std::string explain_stages(
    const KeyedBuild& build,
    const RememberedBuild& now,
    const RememberedBuild& last,
    std::size_t node) {
  std::set<std::string> keys;
  for (const RememberedInstruction& instruction : last.instructions) {
    keys.insert(instruction.key);
  }
  std::vector<std::string> changed;
  for (const std::size_t parent : build.graph.nodes[node].parents) {
    const KeyNode& made = build.graph.nodes[parent];
    const bool is_other = made.stage != build.graph.nodes[node].stage;
    if (is_other && !keys.contains(now.instructions.at(parent).key)) {
      changed.push_back(build.graph.stages[made.stage]);
    }
  }
  return changed.empty() ? std::string()
                         : fmt::format(
                               "{} {} changed",
                               changed.size() == 1 ? "stage" : "stages",
                               list_some(changed, k_max_names));
}

std::string explain_unknown(const InstructionInputs& inputs) {
  const auto unknown = std::ranges::find(inputs.origins, false, &Origin::is_known);
  if (unknown != inputs.origins.end()) {
    return fmt::format("what {} is cannot be found out", unknown->name);
  }
  return "what it adds, or what is before it, may be another every time";
}

std::string explain(
    const KeyedBuild& build,
    const FirstMiss& miss,
    const RememberedBuild& now,
    const RememberedBuild* last) {
  if (!build.inputs[miss.node].is_known) {
    return explain_unknown(build.inputs[miss.node]);
  }
  const std::string in_none =
      miss.is_offered_elsewhere ? "only an image has it that is no source" : "no past image has it";
  if (last == nullptr) {
    return in_none;
  }
  const RememberedInstruction* before = find_counterpart(now, *last, miss.node);
  if (before == nullptr) {
    return "it is new";
  }
  const RememberedInstruction& instruction = now.instructions.at(miss.node);
  if (before->key == instruction.key) {
    return in_none;
  }
  std::string own = explain_own(*before, instruction);
  const std::string stages = explain_stages(build, now, *last, miss.node);
  own += own.empty() || stages.empty() ? stages : "; " + stages;
  return own.empty() ? "no past image has it after what is before it now" : own;
}

}  // namespace

std::vector<MissReason> explain_misses(
    const KeyedBuild& build,
    const Choice& choice,
    const RememberedBuild& now,
    const RememberedBuild* last) {
  std::vector<MissReason> reasons;
  for (const FirstMiss& miss : choice.misses) {
    reasons.push_back({miss.node, explain(build, miss, now, last)});
  }
  return reasons;
}

}  // namespace freshet::cache
