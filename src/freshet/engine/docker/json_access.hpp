// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/docker/types.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::engine {

namespace json = boost::json;

// Lenient readers of what an engine answers: engines omit members, write null for empty lists and
// add members over time. What is absent or of another kind reads as empty.

const json::object& as_object(const json::value& value);
const json::array& as_array(const json::value& value);
const json::object& object_at(const json::object& object, std::string_view key);
const json::array& array_at(const json::object& object, std::string_view key);
std::string text_at(const json::object& object, std::string_view key);
std::optional<std::int64_t> integer_at(const json::object& object, std::string_view key);
/// 0 when absent or negative: for sizes, of which an engine says -1 when it does not know.
std::uint64_t number_at(const json::object& object, std::string_view key);
bool flag_at(const json::object& object, std::string_view key);
std::vector<std::string> texts_at(const json::object& object, std::string_view key);
Labels labels_at(const json::object& object, std::string_view key);

json::array to_json_array(const std::vector<std::string>& texts);
json::object to_json_object(const Labels& pairs);

}  // namespace freshet::engine
