// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/yaml/field_reader.hpp"

#include "freshet/base/text.hpp"
#include "freshet/pipeline/yaml/boolean.hpp"
#include "freshet/pipeline/yaml/scalars.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace freshet::pipeline {
namespace {

constexpr std::size_t k_max_quoted_value = 60;

std::string quote_hint(const YamlNode& node) {
  switch (node.kind) {
    case YamlKind::boolean:
    case YamlKind::number:
    case YamlKind::timestamp:
      return node.text.size() <= k_max_quoted_value
                 ? fmt::format("put it in quotes: '{}'", node.text)
                 : "put it in quotes";
    case YamlKind::map:
      return "text with ': ' in it, or that starts with '{', must be put in quotes";
    case YamlKind::list:
    case YamlKind::null:
    case YamlKind::string:
      break;
  }
  return "";
}

bool contains(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

bool is_variable(std::string_view text) {
  return text.starts_with("${{") && text.find("}}") != std::string_view::npos;
}

FieldReader::FieldReader(const YamlNode& map, YamlPlace owner, Findings& findings, std::string path)
    : map_(map), owner_(owner), findings_(findings), path_(std::move(path)) {}

const YamlEntry* FieldReader::take(std::string_view key) {
  asked_.emplace_back(key);
  return map_.find(key);
}

const YamlEntry* FieldReader::take_required(std::string_view key) {
  const YamlEntry* entry = take(key);
  if (entry == nullptr) {
    findings_.error(owner_, fmt::format("'{}' is required", named(key)));
  }
  return entry;
}

std::optional<Text> FieldReader::text(std::string_view key) {
  const YamlEntry* entry = take(key);
  return entry == nullptr ? std::nullopt : text_of(entry->value, named(key));
}

Text FieldReader::required_text(std::string_view key) {
  const YamlEntry* entry = take_required(key);
  return entry == nullptr ? Text{} : text_of(entry->value, named(key)).value_or(Text{});
}

std::vector<Text> FieldReader::texts(std::string_view key) {
  const YamlEntry* entry = take(key);
  return entry == nullptr ? std::vector<Text>{} : texts_of(entry->value, named(key));
}

std::vector<Text> FieldReader::assignments(std::string_view key) {
  std::vector<Text> entries = texts(key);
  for (const Text& entry : entries) {
    const std::size_t equals = entry.value.find('=');
    const bool has_variable = entry.value.find("${{") < equals;
    const bool has_name = equals != std::string::npos && equals > 0;
    if (!has_name && !has_variable) {
      findings_.error(
          {entry.at.line, entry.at.column},
          fmt::format("an entry of '{}' must have the form KEY=value", named(key)));
    }
  }
  return entries;
}

std::optional<CommandWords> FieldReader::command_words(std::string_view key) {
  const YamlEntry* entry = take(key);
  if (entry == nullptr) {
    return std::nullopt;
  }
  CommandWords words;
  if (entry->value.kind == YamlKind::list) {
    words.words = texts_of(entry->value, named(key));
    return words;
  }
  if (entry->value.kind != YamlKind::string) {
    reject_kind(entry->value, named(key), "a string or a list of strings");
    return std::nullopt;
  }
  std::optional<Text> text = text_of(entry->value, named(key));
  if (!text) {
    return std::nullopt;
  }
  words.words.push_back(std::move(*text));
  words.is_one_string = true;
  return words;
}

std::optional<BoolValue> FieldReader::boolean(std::string_view key) {
  const YamlEntry* entry = take(key);
  if (entry == nullptr) {
    return std::nullopt;
  }
  const YamlNode& node = entry->value;
  if (node.kind == YamlKind::string && is_variable(node.text) && node.text.ends_with("}}")) {
    return BoolValue{false, Text{node.text, findings_.position(node.at)}};
  }
  std::optional<bool> value;
  if (node.kind == YamlKind::boolean || node.kind == YamlKind::string) {
    value = parse_boolean(node.text);
  } else if (node.kind == YamlKind::number) {
    const double number = number_value(node.text).value_or(-1);
    if (number == 0 || number == 1) {
      value = number == 1;
    }
  }
  if (!value) {
    findings_.error(
        node.at,
        fmt::format("'{}' must be a boolean", named(key)),
        "write true or false, or one variable: ${{NAME}}");
    return std::nullopt;
  }
  return BoolValue{*value, std::nullopt};
}

std::optional<int> FieldReader::positive_number(std::string_view key) {
  const YamlEntry* entry = take(key);
  if (entry == nullptr) {
    return std::nullopt;
  }
  const YamlNode& node = entry->value;
  if (node.kind == YamlKind::number || node.kind == YamlKind::string) {
    const double number = number_value(trim(node.text)).value_or(0);
    if (number >= 1 && number <= std::numeric_limits<int>::max() && std::floor(number) == number) {
      return static_cast<int>(number);
    }
  }
  findings_.error(node.at, fmt::format("'{}' must be a whole number of at least 1", named(key)));
  return std::nullopt;
}

std::optional<std::size_t> FieldReader::choice(
    std::string_view key, std::initializer_list<std::string_view> choices) {
  const YamlEntry* entry = take(key);
  if (entry == nullptr) {
    return std::nullopt;
  }
  const YamlNode& node = entry->value;
  const auto* const found = std::find(choices.begin(), choices.end(), node.text);
  if (node.kind == YamlKind::string && found != choices.end()) {
    return static_cast<std::size_t>(found - choices.begin());
  }
  findings_.error(
      node.at, fmt::format("'{}' must be one of [{}]", named(key), fmt::join(choices, ", ")));
  return std::nullopt;
}

void FieldReader::finish(const std::vector<const Words*>& unsupported) {
  Words known = asked_;
  for (const Words* words : unsupported) {
    known.insert(known.end(), words->begin(), words->end());
  }
  for (const YamlEntry& entry : map_.entries) {
    if (contains(asked_, entry.key)) {
      continue;
    }
    if (contains(known, entry.key)) {
      findings_.error(entry.key_at, fmt::format("'{}' is not supported yet", named(entry.key)));
      continue;
    }
    const auto suggestion = nearest(entry.key, known);
    findings_.error(
        entry.key_at,
        fmt::format("'{}' is not allowed", named(entry.key)),
        suggestion ? fmt::format("did you mean '{}'?", *suggestion) : "");
  }
}

std::optional<Text> FieldReader::text_of(const YamlNode& node, const std::string& name) {
  if (node.kind != YamlKind::string) {
    reject_kind(node, name, "a string");
    return std::nullopt;
  }
  if (node.text.empty()) {
    findings_.error(node.at, fmt::format("'{}' must not be empty", name));
    return std::nullopt;
  }
  return Text{node.text, findings_.position(node.at)};
}

std::vector<Text> FieldReader::texts_of(const YamlNode& list, const std::string& name) {
  std::vector<Text> out;
  if (list.kind != YamlKind::list) {
    findings_.error(
        list.at,
        fmt::format("'{}' must be a list", name),
        list.kind == YamlKind::null ? "" : "start each entry on a line of its own with '- '");
    return out;
  }
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    if (auto text = text_of(list.items[i], fmt::format("{}[{}]", name, i))) {
      out.push_back(std::move(*text));
    }
  }
  return out;
}

void FieldReader::reject_kind(
    const YamlNode& node, const std::string& name, std::string_view wanted) {
  findings_.error(node.at, fmt::format("'{}' must be {}", name, wanted), quote_hint(node));
}

}  // namespace freshet::pipeline
