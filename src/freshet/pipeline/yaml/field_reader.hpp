// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/pipeline/yaml/document.hpp"
#include "freshet/pipeline/yaml/pipeline.hpp"
#include "freshet/pipeline/yaml/vocabulary.hpp"

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::pipeline {

/// Reads the fields of one map, each checked against the form that it must have; what does not fit
/// is reported and read as absent. `finish` reports every key that nobody asked for.
///
/// The order is: ask for all fields, then call `finish`.
class FieldReader {
 public:
  /// `map` and `findings` are borrowed. `owner` is where a missing field is reported. `path` stands
  /// before the names of fields in messages, e.g. `dockerfile.`.
  FieldReader(const YamlNode& map, YamlPlace owner, Findings& findings, std::string path = {});

  /// The entry of that key as it is, or null; counts as asked for.
  const YamlEntry* take(std::string_view key);
  /// The same, and its absence is an error.
  const YamlEntry* take_required(std::string_view key);

  /// A string: not empty, and a string in YAML's eyes too (`1.0` without quotes is a number).
  std::optional<Text> text(std::string_view key);
  /// Absent or wrong: reported, and an empty text.
  Text required_text(std::string_view key);
  /// A list of such strings; empty when absent.
  std::vector<Text> texts(std::string_view key);
  /// A list of `KEY=value`; an entry with a variable in place of its `=` is let pass.
  std::vector<Text> assignments(std::string_view key);
  /// A string or a list of strings.
  std::optional<CommandWords> command_words(std::string_view key);
  std::optional<BoolValue> boolean(std::string_view key);
  /// A whole number of at least 1, also as a string.
  std::optional<int> positive_number(std::string_view key);
  /// One of `choices`: its place in them.
  std::optional<std::size_t> choice(
      std::string_view key, std::initializer_list<std::string_view> choices);

  /// Reports the keys that were not asked for: those in `unsupported` as not supported yet, the
  /// others as not allowed, with the nearest known key.
  void finish(const std::vector<const Words*>& unsupported);

 private:
  std::string named(std::string_view key) const { return path_ + std::string(key); }
  std::optional<Text> text_of(const YamlNode& node, const std::string& name);
  std::vector<Text> texts_of(const YamlNode& list, const std::string& name);
  void reject_kind(const YamlNode& node, const std::string& name, std::string_view wanted);

  const YamlNode& map_;
  YamlPlace owner_;
  Findings& findings_;
  std::string path_;
  Words asked_;
};

/// Whether `text` is a variable as the language counts it: begins with `${{` and holds `}}`.
bool is_variable(std::string_view text);

}  // namespace freshet::pipeline
