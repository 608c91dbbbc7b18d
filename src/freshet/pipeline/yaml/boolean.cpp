// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/yaml/boolean.hpp"

#include "freshet/base/text.hpp"

#include <fmt/format.h>

namespace freshet::pipeline {
namespace {

constexpr std::size_t k_max_shown_bytes = 80;

}  // namespace

std::optional<bool> parse_boolean(std::string_view text) {
  const std::string word = to_lower(text);
  if (word == "true" || word == "yes" || word == "on" || word == "1") {
    return true;
  }
  if (word == "false" || word == "no" || word == "off" || word == "0") {
    return false;
  }
  return std::nullopt;
}

bool resolve(
    const BoolValue& value,
    std::string_view field,
    const std::function<std::string(std::string_view)>& interpolated) {
  if (!value.expression) {
    return value.constant;
  }
  const std::string text = interpolated(value.expression->value);
  if (const auto boolean = parse_boolean(text)) {
    return *boolean;
  }
  throw Error(
      ErrorCode::invalid_input,
      fmt::format(
          "'{}' must be true or false, it became '{}'", field, printable(text, k_max_shown_bytes)))
      .at(value.expression->at);
}

}  // namespace freshet::pipeline
