// SPDX-License-Identifier: Apache-2.0
#include "freshet/registries/aws/xml_text.hpp"

#include "freshet/base/text.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace freshet::registries::aws {
namespace {

constexpr std::size_t k_max_depth = 32;

constexpr std::array k_entities{
    std::pair{std::string_view("&amp;"), '&'},
    std::pair{std::string_view("&lt;"), '<'},
    std::pair{std::string_view("&gt;"), '>'},
    std::pair{std::string_view("&quot;"), '"'},
    std::pair{std::string_view("&apos;"), '\''},
};

std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (text.front() != '&') {
      out += text.front();
      text.remove_prefix(1);
      continue;
    }
    const auto entity = std::ranges::find_if(
        k_entities, [&](const auto& known) { return text.starts_with(known.first); });
    if (entity == k_entities.end()) {
      return std::nullopt;
    }
    out += entity->second;
    text.remove_prefix(entity->first.size());
  }
  return out;
}

/// The part before `end`, which is taken off as well; nullopt when `end` does not come.
std::optional<std::string_view> take_until(std::string_view& text, std::string_view end) {
  const std::size_t at = text.find(end);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view out = text.substr(0, at);
  text.remove_prefix(at + end.size());
  return out;
}

std::string_view element_name(std::string_view tag) {
  const std::string_view name = tag.substr(0, tag.find_first_of(" \t\r\n/"));
  const std::size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

bool ends_with(
    const std::vector<std::string_view>& open, std::initializer_list<std::string_view> path) {
  return open.size() >= path.size() &&
         std::equal(
             path.begin(), path.end(), open.end() - static_cast<std::ptrdiff_t>(path.size()));
}

}  // namespace

std::optional<std::string> find_xml_text(
    std::string_view xml, std::initializer_list<std::string_view> path) {
  std::vector<std::string_view> open;
  while (take_until(xml, "<")) {
    if (xml.starts_with("!--")) {
      if (!take_until(xml, "-->")) {
        return std::nullopt;
      }
      continue;
    }
    const auto tag = take_until(xml, ">");
    if (!tag || tag->empty() || tag->starts_with('!')) {
      return std::nullopt;
    }
    if (tag->starts_with('?') || tag->ends_with('/')) {
      continue;
    }
    if (tag->starts_with('/')) {
      if (open.empty() || open.back() != element_name(tag->substr(1))) {
        return std::nullopt;
      }
      open.pop_back();
      continue;
    }
    open.push_back(element_name(*tag));
    if (open.size() > k_max_depth) {
      return std::nullopt;
    }
    if (ends_with(open, path)) {
      return decoded(trim(xml.substr(0, xml.find('<'))));
    }
  }
  return std::nullopt;
}

}  // namespace freshet::registries::aws
