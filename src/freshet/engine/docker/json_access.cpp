// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/json_access.hpp"

#include <boost/json/array.hpp>

namespace freshet::engine {
namespace {

std::string text_of(const json::value& value) {
  const json::string* text = value.if_string();
  return text != nullptr ? std::string(*text) : std::string();
}

}  // namespace

const json::object& as_object(const json::value& value) {
  static const json::object empty;
  const json::object* object = value.if_object();
  return object != nullptr ? *object : empty;
}

const json::array& as_array(const json::value& value) {
  static const json::array empty;
  const json::array* array = value.if_array();
  return array != nullptr ? *array : empty;
}

const json::object& object_at(const json::object& object, std::string_view key) {
  static const json::value null;
  const json::value* member = object.if_contains(key);
  return as_object(member != nullptr ? *member : null);
}

const json::array& array_at(const json::object& object, std::string_view key) {
  static const json::value null;
  const json::value* member = object.if_contains(key);
  return as_array(member != nullptr ? *member : null);
}

std::string text_at(const json::object& object, std::string_view key) {
  const json::value* member = object.if_contains(key);
  return member != nullptr ? text_of(*member) : std::string();
}

std::optional<std::int64_t> integer_at(const json::object& object, std::string_view key) {
  const json::value* member = object.if_contains(key);
  if (member == nullptr || !member->is_number()) {
    return std::nullopt;
  }
  json::error_code code;
  const auto number = member->to_number<std::int64_t>(code);
  return code ? std::nullopt : std::optional(number);
}

std::uint64_t number_at(const json::object& object, std::string_view key) {
  const std::int64_t number = integer_at(object, key).value_or(0);
  return number < 0 ? 0 : static_cast<std::uint64_t>(number);
}

bool flag_at(const json::object& object, std::string_view key) {
  const json::value* member = object.if_contains(key);
  return member != nullptr && member->is_bool() && member->get_bool();
}

std::vector<std::string> texts_at(const json::object& object, std::string_view key) {
  std::vector<std::string> texts;
  for (const json::value& value : array_at(object, key)) {
    texts.push_back(text_of(value));
  }
  return texts;
}

Labels labels_at(const json::object& object, std::string_view key) {
  Labels labels;
  for (const auto& member : object_at(object, key)) {
    labels.emplace_back(std::string(member.key()), text_of(member.value()));
  }
  return labels;
}

json::array to_json_array(const std::vector<std::string>& texts) {
  json::array array;
  for (const std::string& text : texts) {
    array.emplace_back(text);
  }
  return array;
}

json::object to_json_object(const Labels& pairs) {
  json::object object;
  for (const auto& [name, value] : pairs) {
    object[name] = value;
  }
  return object;
}

}  // namespace freshet::engine
