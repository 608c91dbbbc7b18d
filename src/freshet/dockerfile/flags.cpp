// SPDX-License-Identifier: Apache-2.0
#include "freshet/dockerfile/flags.hpp"

#include "freshet/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::dockerfile {
namespace {

constexpr std::size_t k_max_shown = 60;

std::string advice(const std::string& name, const Flags::Rules& rules) {
  std::vector<std::string> known;
  for (const auto& rule : rules) {
    known.push_back(fmt::format("--{}", rule.first));
  }
  if (known.empty()) {
    return "it has no flags";
  }
  const auto near = nearest(name, known);
  return near ? fmt::format("did you mean {}?", *near)
              : fmt::format("it has {}", fmt::join(known, ", "));
}

}  // namespace

Flags::Flags(const Instruction& instruction, const Rules& rules, Diagnostics& diagnostics) {
  for (const Word& flag : instruction.flags) {
    add(flag, rules, diagnostics);
  }
}

void Flags::add(const Word& flag, const Rules& rules, Diagnostics& diagnostics) {
  const std::size_t equals = flag.text.find('=');
  const std::string name = flag.text.substr(0, equals);
  const std::string shown = printable(name, k_max_shown);
  const auto rule =
      rules.find(std::string_view(name).substr(std::min<std::size_t>(2, name.size())));
  if (rule == rules.end()) {
    return diagnostics.error(
        flag.at, fmt::format("there is no flag '{}' here", shown), advice(name, rules));
  }
  std::vector<Word>& values = values_[std::string(rule->first)];
  if (!values.empty() && rule->second != FlagKind::texts) {
    return diagnostics.error(flag.at, fmt::format("'{}' is given twice", shown));
  }
  std::string value = equals == std::string::npos ? "" : flag.text.substr(equals + 1);
  if (rule->second == FlagKind::boolean) {
    value = equals == std::string::npos ? "true" : to_lower(value);
    if (value != "true" && value != "false") {
      return diagnostics.error(flag.at, fmt::format("'{}' must be true or false", shown));
    }
  } else if (equals == std::string::npos) {
    return diagnostics.error(
        flag.at, fmt::format("'{}' has no value", shown), fmt::format("write {}=value", shown));
  }
  values.push_back({std::move(value), flag.at});
}

std::optional<bool> Flags::boolean(std::string_view name) const {
  const std::optional<Word> value = text(name);
  return value ? std::optional(value->text == "true") : std::nullopt;
}

std::optional<Word> Flags::text(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() || found->second.empty() ? std::nullopt
                                                         : std::optional(found->second.front());
}

std::vector<Word> Flags::texts(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<Word>() : found->second;
}

}  // namespace freshet::dockerfile
