// SPDX-License-Identifier: Apache-2.0
#include "freshet/cache/inline_cache.hpp"

#include "freshet/base/error.hpp"
#include "freshet/base/text.hpp"
#include "freshet/oci/copy/layer_hints.hpp"

#include <boost/json.hpp>

namespace freshet::cache {
namespace {

namespace json = boost::json;

constexpr const char* k_member = "moby.buildkit.cache.v0";

/// The array in that member; nullopt when there is none that can be read.
std::optional<json::array> parse_records(std::string_view config) {
  boost::system::error_code code;
  const json::value parsed = json::parse(config, code);
  const json::object* object = code ? nullptr : parsed.if_object();
  const json::value* member = object != nullptr ? object->if_contains(k_member) : nullptr;
  const json::string* text = member != nullptr ? member->if_string() : nullptr;
  const auto bytes = text != nullptr ? from_base64(*text) : std::nullopt;
  if (!bytes) {
    return std::nullopt;
  }
  json::value records = json::parse(*bytes, code);
  return code || !records.is_array() ? std::nullopt : std::optional(records.as_array());
}

const json::array& array_at(const json::value& value, std::string_view key) {
  static const json::array k_empty;
  const json::object* object = value.if_object();
  const json::value* member = object != nullptr ? object->if_contains(key) : nullptr;
  const json::array* array = member != nullptr ? member->if_array() : nullptr;
  return array != nullptr ? *array : k_empty;
}

/// The layers, by index, that a record has: one, or the topmost of several.
std::vector<std::size_t> layers_of(const json::value& record) {
  std::vector<std::size_t> layers;
  const auto add = [&](const json::value& index) {
    if (index.is_int64() && index.get_int64() >= 0) {
      layers.push_back(static_cast<std::size_t>(index.get_int64()));
    }
  };
  for (const json::value& result : array_at(record, "layers")) {
    const json::object* object = result.if_object();
    if (object != nullptr && object->contains("layer")) {
      add(object->at("layer"));
    }
  }
  for (const json::value& chain : array_at(record, "chains")) {
    const json::array& indexes = array_at(chain, "layers");
    if (!indexes.empty()) {
      add(indexes.back());
    }
  }
  return layers;
}

}  // namespace

std::optional<std::set<std::string>> find_inline_layers(std::string_view config) {
  const std::vector<oci::Digest> diff_ids = oci::diff_ids_of(config);
  const auto records = parse_records(config);
  if (!records) {
    return std::nullopt;
  }
  std::set<std::string> found;
  for (const json::value& record : *records) {
    for (const std::size_t layer : layers_of(record)) {
      if (layer < diff_ids.size()) {
        found.insert(diff_ids[layer].to_string());
      }
    }
  }
  return found;
}

void restrict_offers(std::vector<model::PastInstruction>& known, std::string_view config) {
  const auto layers = find_inline_layers(config);
  for (model::PastInstruction& instruction : known) {
    const bool is_known = !instruction.diff_id.empty();
    if (!layers || (is_known && !layers->contains(instruction.diff_id))) {
      instruction.is_offered = false;
    }
  }
}

}  // namespace freshet::cache
