// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/image_legacy.hpp"

#include <fmt/format.h>

#include <map>
#include <string>

namespace freshet::engine {
namespace {

/// The members of a JSON object by their keys, the values as they are written: a hash over them
/// allows no other spelling.
using RawMembers = std::map<std::string, std::string, std::less<>>;

/// The end of the string that begins at `at`, behind its closing quote; npos when there is none.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

/// The end of the value that begins at `at`: the comma or brace behind it.
std::size_t end_of_value(std::string_view text, std::size_t at) {
  int depth = 0;
  for (std::size_t i = at; i < text.size();) {
    const char c = text[i];
    if (c == '"') {
      i = end_of_string(text, i);
      continue;
    }
    if (depth == 0 && (c == ',' || c == '}')) {
      return i;
    }
    depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
    ++i;
  }
  return std::string_view::npos;
}

/// nullopt for what is not an object without white space between its parts, as the engine writes
/// it.
std::optional<RawMembers> split_members(std::string_view json) {
  RawMembers members;
  if (!json.starts_with('{')) {
    return std::nullopt;
  }
  for (std::size_t at = 1; at < json.size() && json[at] == '"';) {
    const std::size_t key_end = end_of_string(json, at);
    if (key_end == std::string_view::npos || key_end >= json.size() || json[key_end] != ':') {
      return std::nullopt;
    }
    const std::size_t value_end = end_of_value(json, key_end + 1);
    if (value_end == std::string_view::npos) {
      return std::nullopt;
    }
    members.emplace(
        json.substr(at + 1, key_end - at - 2), json.substr(key_end + 1, value_end - key_end - 1));
    at = value_end + 1;
  }
  return members;
}

std::string joined(const RawMembers& members) {
  std::string text = "{";
  for (const auto& [key, value] : members) {
    fmt::format_to(std::back_inserter(text), "{}\"{}\":{}", text.size() > 1 ? "," : "", key, value);
  }
  return text + "}";
}

}  // namespace

std::optional<std::size_t> find_legacy_layer(
    std::string_view id, std::string_view json, const std::vector<oci::Digest>& chain_ids) {
  std::optional<RawMembers> members = split_members(json);
  if (!members) {
    return std::nullopt;
  }
  // The hash was taken before the engine put in the id, and for lower layers the system.
  members->erase("id");
  if (const auto parent = members->find("parent"); parent != members->end()) {
    std::string& value = parent->second;
    if (value.starts_with('"')) {
      value = "\"sha256:" + value.substr(1);
    }
  }
  RawMembers without_system = *members;
  without_system.erase("os");
  for (std::size_t index = 0; index < chain_ids.size(); ++index) {
    for (RawMembers* const candidate : {&*members, &without_system}) {
      (*candidate)["layer_id"] = fmt::format("\"{}\"", chain_ids[index].to_string());
      if (oci::Digest::of(joined(*candidate)).hex() == id) {
        return index;
      }
    }
  }
  return std::nullopt;
}

}  // namespace freshet::engine
