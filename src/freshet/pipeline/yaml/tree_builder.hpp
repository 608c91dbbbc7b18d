// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/pipeline/yaml/document.hpp"
#include "freshet/pipeline/yaml/syntax.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace freshet::pipeline {

YamlPlace place_of(const YAML::Mark& mark);

/// Thrown through the parser when reading on makes no sense: a bound is passed, a second document.
struct TreeRefused {
  SyntaxFinding finding;
};

/// Builds our tree from the parser's events: this keeps the place of every key, sees repeated keys,
/// and counts what aliases expand to before it is made.
class TreeBuilder final : public YAML::EventHandler {
 public:
  /// `text` (without byte order mark) is borrowed.
  explicit TreeBuilder(std::string_view text) : text_(text) {}

  /// The finished tree; a null node when there was no document.
  YamlNode take_root() { return std::move(root_); }
  /// What is wrong with the document although it could be read to its end.
  const std::vector<SyntaxFinding>& findings() const { return findings_; }

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override;
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(
      const YAML::Mark& mark,
      const std::string& tag,
      YAML::anchor_t anchor,
      const std::string& value) override;
  void OnSequenceStart(
      const YAML::Mark& mark,
      const std::string& tag,
      YAML::anchor_t anchor,
      YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { close(); }
  void OnMapStart(
      const YAML::Mark& mark,
      const std::string& tag,
      YAML::anchor_t anchor,
      YAML::EmitterStyle::value style) override;
  void OnMapEnd() override { close(); }

 private:
  struct Key {
    std::string text;
    YamlPlace at;
    bool is_merge = false;
    bool is_usable = true;  // false: already reported, its value is dropped
  };
  /// A list or map whose end has not come yet.
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor = 0;
    bool is_flow = false;  // written with brackets
    std::optional<Key> key;  // maps: the key that waits for its value
    std::unordered_map<std::string, std::size_t> index;  // key to its place in `node.entries`
    std::vector<bool> merged;  // per entry: came by `<<`, so the map's own key may replace it
  };

  void open(Open collection, const YAML::Mark& mark, const std::string& tag);
  void close();
  void finish(YamlNode node, YAML::anchor_t anchor, bool is_merge_key = false);
  void attach(YamlNode node, bool is_merge_key);
  Key make_key(YamlNode node, bool is_merge_key);
  void insert(Open& map, Key key, YamlNode value);
  void merge(Open& map, const Key& key, YamlNode value);
  void merge_one(Open& map, YamlNode source);

  YamlKind tagged_kind(const std::string& tag, const std::string& value, YamlPlace at);
  void check_collection_tag(const std::string& tag, YamlKind kind, YamlPlace at);
  void check_null(const YAML::Mark& mark);
  YamlPlace place_of_null(const YAML::Mark& mark) const;
  std::size_t offset_of(const YAML::Mark& mark) const;
  void report(YamlPlace at, std::string message, std::string hint = {});
  /// Counts a node that is about to be kept once more. Throws TreeRefused.
  void charge(const YamlNode& node, std::size_t depth);

  std::string_view text_;
  std::vector<SyntaxFinding> findings_;
  YamlNode root_;
  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, YamlNode> anchors_;
  std::size_t nodes_ = 0;
  std::size_t bytes_ = 0;
  int documents_ = 0;
  std::optional<std::size_t> last_quoted_;  // offset of the last scalar that is not plain
};

}  // namespace freshet::pipeline
