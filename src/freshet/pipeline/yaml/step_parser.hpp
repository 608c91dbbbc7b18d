// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/pipeline/yaml/document.hpp"
#include "freshet/pipeline/yaml/pipeline.hpp"

#include <optional>
#include <string>
#include <vector>

namespace freshet::pipeline {

/// Reads one step of the `steps` map; nullopt when it is not a step at all or of a type that is not
/// supported. Findings tell whether what is returned may be used.
///
/// Order: 1. `arguments` are put into the step, 2. its type is found, 3. old spellings are renamed,
/// 4. its fields are read.
std::optional<Step> parse_step(
    const YamlEntry& entry, const std::vector<std::string>& stages, Findings& findings);

}  // namespace freshet::pipeline
