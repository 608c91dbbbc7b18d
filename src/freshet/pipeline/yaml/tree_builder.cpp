// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/yaml/tree_builder.hpp"

#include "freshet/base/text.hpp"
#include "freshet/pipeline/yaml/scalars.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace freshet::pipeline {
namespace {

constexpr std::string_view k_plain_tag = "?";  // how the parser marks unquoted scalars
constexpr std::string_view k_quoted_tag = "!";  // and quoted or block ones
constexpr std::string_view k_core_tags = "tag:yaml.org,2002:";
constexpr std::string_view k_merge_key = "<<";

bool is_collection(YamlKind kind) {
  return kind == YamlKind::list || kind == YamlKind::map;
}

/// Where the quoted text at the start of `text` ends; npos when its closing quote is missing.
std::size_t end_of_quoted(std::string_view text) {
  const char quote = text.front();
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      const bool is_doubled = quote == '\'' && i + 1 < text.size() && text[i + 1] == quote;
      if (!is_doubled) {
        return i + 1;
      }
      ++i;
    }
  }
  return std::string_view::npos;
}

bool is_quote(char c) {
  return c == '"' || c == '\'';
}

/// Whether the scalar at the start of `text` (anchor and tag before it allowed) is no quoted text,
/// or has its closing quote.
bool is_quote_closed(std::string_view text) {
  constexpr std::string_view k_blanks = " \t\r\n";
  while (text.starts_with('&') || text.starts_with('!')) {
    text.remove_prefix(std::min(text.find_first_of(k_blanks), text.size()));
    text.remove_prefix(std::min(text.find_first_not_of(k_blanks), text.size()));
  }
  return text.empty() || !is_quote(text.front()) || end_of_quoted(text) != std::string_view::npos;
}

/// Whether `text`, which starts with the key, has a `:` behind it.
bool has_colon_behind(std::string_view text, std::string_view key) {
  std::size_t end = key.size();
  if (!text.empty() && is_quote(text.front())) {
    end = end_of_quoted(text);
  } else if (!text.starts_with(key)) {
    return false;  // a plain text over several lines, which cannot be a key
  }
  text.remove_prefix(std::min(end, text.size()));
  return trim(text).starts_with(':');
}

}  // namespace

YamlPlace place_of(const YAML::Mark& mark) {
  return {mark.line + 1, mark.column + 1};
}

void TreeBuilder::OnDocumentStart(const YAML::Mark& mark) {
  if (documents_++ == 0) {
    return;
  }
  if (text_.substr(offset_of(mark)).starts_with("---")) {
    throw TreeRefused{
        {place_of(mark), "a second YAML document starts here, a pipeline file has only one", ""}};
  }
  throw TreeRefused{
      {place_of(mark),
       "this does not belong to what stands above it",
       "the keys at the top of the file must all start in the same column"}};
}

/// The parser takes the end of the file for the end of a quoted text; we do not.
void TreeBuilder::OnDocumentEnd() {
  if (last_quoted_ && !is_quote_closed(text_.substr(*last_quoted_))) {
    throw TreeRefused{{place_at(text_, *last_quoted_), "a quote is opened and never closed", ""}};
  }
}

void TreeBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  check_null(mark);
  YamlNode node;
  node.at = place_of_null(mark);
  charge(node, open_.size() + 1);
  finish(std::move(node), anchor);
}

void TreeBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const auto found = anchors_.find(anchor);
  if (found == anchors_.end()) {
    throw TreeRefused{{place_of(mark), "this alias stands inside of what it names", ""}};
  }
  charge(found->second, open_.size() + 1);
  attach(found->second, false);
}

void TreeBuilder::OnScalar(
    const YAML::Mark& mark,
    const std::string& tag,
    YAML::anchor_t anchor,
    const std::string& value) {
  YamlNode node;
  node.at = place_of(mark);
  node.kind = tagged_kind(tag, value, node.at);
  node.text = value;
  if (tag != k_plain_tag) {
    last_quoted_ = offset_of(mark);
  }
  charge(node, open_.size() + 1);
  finish(std::move(node), anchor, tag == k_plain_tag && value == k_merge_key);
}

void TreeBuilder::OnSequenceStart(
    const YAML::Mark& mark,
    const std::string& tag,
    YAML::anchor_t anchor,
    YAML::EmitterStyle::value style) {
  Open collection;
  collection.node.kind = YamlKind::list;
  collection.anchor = anchor;
  collection.is_flow = style == YAML::EmitterStyle::Flow;
  open(std::move(collection), mark, tag);
}

void TreeBuilder::OnMapStart(
    const YAML::Mark& mark,
    const std::string& tag,
    YAML::anchor_t anchor,
    YAML::EmitterStyle::value style) {
  Open collection;
  collection.node.kind = YamlKind::map;
  collection.anchor = anchor;
  collection.is_flow = style == YAML::EmitterStyle::Flow;
  open(std::move(collection), mark, tag);
}

void TreeBuilder::open(Open collection, const YAML::Mark& mark, const std::string& tag) {
  collection.node.at = place_of(mark);
  check_collection_tag(tag, collection.node.kind, collection.node.at);
  charge(collection.node, open_.size() + 1);
  open_.push_back(std::move(collection));
}

void TreeBuilder::close() {
  Open collection = std::move(open_.back());
  open_.pop_back();
  finish(std::move(collection.node), collection.anchor);
}

void TreeBuilder::finish(YamlNode node, YAML::anchor_t anchor, bool is_merge_key) {
  if (anchor != 0) {
    charge(node, open_.size() + 1);
    anchors_[anchor] = node;
  }
  attach(std::move(node), is_merge_key);
}

void TreeBuilder::attach(YamlNode node, bool is_merge_key) {
  if (open_.empty()) {
    root_ = std::move(node);
    return;
  }
  Open& parent = open_.back();
  if (parent.node.kind == YamlKind::list) {
    parent.node.items.push_back(std::move(node));
  } else if (!parent.key) {
    parent.key = make_key(std::move(node), is_merge_key);
  } else {
    const Key key = *std::exchange(parent.key, std::nullopt);
    if (key.is_merge) {
      merge(parent, key, std::move(node));
    } else if (key.is_usable) {
      insert(parent, key, std::move(node));
    }
  }
}

TreeBuilder::Key TreeBuilder::make_key(YamlNode node, bool is_merge_key) {
  Key key;
  key.at = node.at;
  key.is_merge = is_merge_key;
  key.is_usable = !is_collection(node.kind);
  if (node.kind == YamlKind::map) {
    report(
        node.at,
        "a map cannot be a key",
        "a variable is written ${{NAME}}; other text that starts with '{' must be put in quotes");
  } else if (node.kind == YamlKind::list) {
    report(node.at, "a list cannot be a key", "text that starts with '[' must be put in quotes");
  }
  key.text = node.kind == YamlKind::null ? "null" : std::move(node.text);
  return key;
}

void TreeBuilder::insert(Open& map, Key key, YamlNode value) {
  const auto [found, is_new] = map.index.try_emplace(key.text, map.node.entries.size());
  if (is_new) {
    map.node.entries.push_back({std::move(key.text), key.at, std::move(value)});
    map.merged.push_back(false);
    return;
  }
  YamlEntry& entry = map.node.entries[found->second];
  if (map.merged[found->second]) {
    map.merged[found->second] = false;
    entry.key_at = key.at;
    entry.value = std::move(value);
    return;
  }
  report(
      key.at,
      fmt::format("'{}' is written twice", key.text),
      fmt::format("it stands on line {} already", entry.key_at.line));
}

void TreeBuilder::merge(Open& map, const Key& key, YamlNode value) {
  if (value.kind == YamlKind::map) {
    merge_one(map, std::move(value));
    return;
  }
  bool is_list_of_maps = value.kind == YamlKind::list;
  for (const YamlNode& item : value.items) {
    is_list_of_maps = is_list_of_maps && item.kind == YamlKind::map;
  }
  if (!is_list_of_maps) {
    report(key.at, "'<<' needs a map or a list of maps to merge");
    return;
  }
  for (YamlNode& item : value.items) {
    merge_one(map, std::move(item));
  }
}

void TreeBuilder::merge_one(Open& map, YamlNode source) {
  for (YamlEntry& entry : source.entries) {
    const auto [found, is_new] = map.index.try_emplace(entry.key, map.node.entries.size());
    if (is_new) {  // what is there already wins
      map.node.entries.push_back(std::move(entry));
      map.merged.push_back(true);
    }
  }
}

YamlKind TreeBuilder::tagged_kind(const std::string& tag, const std::string& value, YamlPlace at) {
  if (tag == k_plain_tag) {
    return resolve_plain_scalar(value);
  }
  if (tag == k_quoted_tag) {
    return YamlKind::string;
  }
  if (tag.starts_with(k_core_tags)) {
    const std::string_view name = std::string_view(tag).substr(k_core_tags.size());
    if (name == "str") {
      return YamlKind::string;
    }
    const YamlKind kind = resolve_plain_scalar(value);
    const bool matches = (name == "null" && kind == YamlKind::null) ||
                         (name == "bool" && kind == YamlKind::boolean) ||
                         ((name == "int" || name == "float") && kind == YamlKind::number) ||
                         (name == "timestamp" && kind == YamlKind::timestamp);
    if (matches) {
      return kind;
    }
  }
  report(
      at,
      fmt::format("the tag '{}' cannot be used here", tag),
      "text that starts with '!' must be put in quotes");
  return YamlKind::string;
}

void TreeBuilder::check_collection_tag(const std::string& tag, YamlKind kind, YamlPlace at) {
  const std::string_view wanted = kind == YamlKind::map ? "map" : "seq";
  if (tag.empty() || tag == k_plain_tag || tag == fmt::format("{}{}", k_core_tags, wanted)) {
    return;
  }
  report(at, fmt::format("the tag '{}' cannot be used here", tag));
}

/// Two things that the parser lets pass: a last line without its `:`, and a `:` without a key.
void TreeBuilder::check_null(const YAML::Mark& mark) {
  if (open_.empty() || open_.back().node.kind != YamlKind::map || open_.back().is_flow) {
    return;
  }
  const std::optional<Key>& key = open_.back().key;
  if (key && key->at == place_of(mark) &&
      !has_colon_behind(text_.substr(offset_at(text_, key->at)), key->text)) {
    report(key->at, fmt::format("a ':' is missing behind '{}'", key->text));
  } else if (!key && text_.substr(offset_of(mark)).starts_with(':')) {
    report(place_of(mark), "the key in front of ':' is missing");
  }
}

YamlPlace TreeBuilder::place_of_null(const YAML::Mark& mark) const {
  if (open_.empty()) {
    return place_of(mark);
  }
  if (open_.back().key) {
    return open_.back().key->at;
  }
  // A missing list item is noticed at the token after it: show its dash instead.
  const std::size_t pos = offset_of(mark);
  if (pos == text_.size() || std::string_view("~nN").find(text_[pos]) == std::string_view::npos) {
    const std::size_t dash = text_.substr(0, pos).find_last_not_of(" \t\r\n");
    if (dash != std::string_view::npos && text_[dash] == '-') {
      return place_at(text_, dash);
    }
  }
  return place_of(mark);
}

std::size_t TreeBuilder::offset_of(const YAML::Mark& mark) const {
  return std::min(text_.size(), static_cast<std::size_t>(mark.pos));
}

void TreeBuilder::report(YamlPlace at, std::string message, std::string hint) {
  findings_.push_back({at, std::move(message), std::move(hint)});
}

void TreeBuilder::charge(const YamlNode& node, std::size_t depth) {
  nodes_ += 1;
  bytes_ += node.text.size();
  if (depth > k_max_document_depth) {
    throw TreeRefused{
        {node.at,
         fmt::format("lists and maps are nested deeper than {} levels", k_max_document_depth),
         ""}};
  }
  if (nodes_ > k_max_document_nodes || bytes_ > k_max_expanded_bytes) {
    throw TreeRefused{
        {node.at,
         fmt::format(
             "the file is too large once its aliases are put in, the limit is {} nodes or {} bytes",
             k_max_document_nodes,
             k_max_expanded_bytes),
         ""}};
  }
  for (const YamlNode& item : node.items) {
    charge(item, depth + 1);
  }
  for (const YamlEntry& entry : node.entries) {
    bytes_ += entry.key.size();
    charge(entry.value, depth + 1);
  }
}

}  // namespace freshet::pipeline
