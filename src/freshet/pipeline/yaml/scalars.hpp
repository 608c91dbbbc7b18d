// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/pipeline/yaml/document.hpp"

#include <optional>
#include <string_view>

namespace freshet::pipeline {

/// What an unquoted scalar means: null, boolean, number, timestamp or string.
///
/// Core schema of YAML 1.2 with the additions of the parser that pipelines are written for: `_`
/// between digits, binary numbers, and timestamps.
YamlKind resolve_plain_scalar(std::string_view text);

/// The value of a number as YAML writes it (`1_000`, `0x1F`, `1e3`, `.inf`); nullopt when `text` is
/// not one.
std::optional<double> number_value(std::string_view text);

}  // namespace freshet::pipeline
