// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/pipeline/yaml/pipeline.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace freshet::pipeline {

/// `true`, `yes`, `on`, `1` and their opposites, in any case; nullopt for anything else.
std::optional<bool> parse_boolean(std::string_view text);

/// The value of a boolean field; `interpolated` puts the variables into its text.
/// Throws: invalid_input at the field, naming `field`, when the result is not a boolean.
bool resolve(
    const BoolValue& value,
    std::string_view field,
    const std::function<std::string(std::string_view)>& interpolated);

}  // namespace freshet::pipeline
