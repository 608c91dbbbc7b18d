// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/model/registry.hpp"
#include "freshet/registries/providers/catalogue.hpp"
#include "freshet/registries/providers/problems.hpp"

namespace freshet::registries {

/// Checks whether Freshet may make repositories there, and what these are to get.
void check_created_repositories(
    const ProviderChoice& choice, const model::RegistryIntegration& record, Problems& problems);

}  // namespace freshet::registries
