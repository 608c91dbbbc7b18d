// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/diagnostics.hpp"
#include "freshet/model/registry.hpp"
#include "freshet/pipeline/yaml/pipeline.hpp"

#include <vector>

namespace freshet::pipeline {

/// Checks all that the pipeline says about registries against the connected integrations, oldest
/// first. A value with a variable in it is skipped: what it will be is not known before the run.
///
/// Errors: a push step while nothing is connected; an unknown `registry`, `registry_context` or
/// entry of `registry_contexts` (with the nearest known name); two contexts of one domain; a host
/// that nobody has a login for; inline logins with parts missing; wrong properties of Amazon ECR; a
/// build that has to say where it is pushed, and does not.
/// Warnings: a push step that leaves the choice among several; a build that will not be pushed for
/// want of a default; properties that the step's kind of login does not look at.
void check_registries(
    const Pipeline& pipeline,
    const std::vector<model::RegistryIntegration>& registries,
    model::PushMode push_mode,
    Diagnostics& diagnostics);

}  // namespace freshet::pipeline
