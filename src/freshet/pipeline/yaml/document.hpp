// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/pipeline/yaml/findings.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::pipeline {

/// What a YAML node is after the scalar rules of YAML 1.2 (core schema, plus timestamps).
enum class YamlKind { null, boolean, number, timestamp, string, list, map };

struct YamlEntry;

/// One node of a YAML file, with aliases and `<<` merges already put in.
struct YamlNode {
  YamlKind kind = YamlKind::null;
  YamlPlace at;  // of a missing value: its key's
  std::string text;  // scalars: as written, without quotes
  std::vector<YamlNode> items;  // lists
  std::vector<YamlEntry> entries;  // maps, in the order of the file; no key twice

  /// The entry of a map, or null.
  const YamlEntry* find(std::string_view key) const;
};

struct YamlEntry {
  std::string key;
  YamlPlace key_at;
  YamlNode value;
};

/// Bounds of what is read. They are far above any real pipeline, and low enough that a hostile file
/// costs little.
constexpr std::size_t k_max_document_bytes = 1u << 20;
constexpr std::size_t k_max_document_nodes = 100'000;  // aliases counted each time they are used
constexpr std::size_t k_max_expanded_bytes = 1u << 24;  // texts, aliases counted likewise
constexpr std::size_t k_max_document_depth = 100;

/// Reads one YAML document.
///
/// Repeated keys, unusable keys and unknown tags are reported and the rest is still read; a text
/// that is not YAML at all, not UTF-8 or beyond the bounds is reported and gives nullopt. An empty
/// file gives a null node.
std::optional<YamlNode> parse_document(std::string_view text, Findings& findings);

}  // namespace freshet::pipeline
