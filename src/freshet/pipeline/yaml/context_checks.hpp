// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/diagnostics.hpp"
#include "freshet/pipeline/yaml/pipeline.hpp"

#include <string>
#include <vector>

namespace freshet::pipeline {

/// Checks every `registry` of the pipeline against the connected integrations. A value with a
/// variable in it is skipped: what it will be is not known before the run.
///
/// Errors: a push step while nothing is connected; an unknown name (with the nearest known one); a
/// web address in place of a name.
/// Warnings: a push step that leaves the choice among several; a build that will not be pushed for
/// want of a default (`has_default`: some integration is marked as it).
void check_registries(
    const Pipeline& pipeline,
    const std::vector<std::string>& known_registry_names,
    bool has_default,
    Diagnostics& diagnostics);

}  // namespace freshet::pipeline
