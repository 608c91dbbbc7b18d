// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/pipeline/yaml/pipeline.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace freshet::pipeline {

using Words = std::vector<std::string>;

/// The words that the pipeline language has and that this program does not act on yet. Support for
/// one is added by reading it and taking it off its list.
const Words& unsupported_root_keys();
/// Keys that every step type has.
const Words& unsupported_common_keys();
const Words& unsupported_keys(StepType type);
/// Step types of the language itself; all others are custom types.
const Words& unsupported_step_types();

/// The step types that are supported, as pipelines write them.
const Words& supported_step_types();

/// Old spelling with dashes and the spelling of today, for one step type.
using Rename = std::pair<std::string_view, std::string_view>;
const std::vector<Rename>& renames(StepType type);

}  // namespace freshet::pipeline
