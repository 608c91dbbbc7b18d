// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/model/registry.hpp"
#include "freshet/registries/providers/catalogue.hpp"
#include "freshet/registries/providers/problems.hpp"

namespace freshet::registries {

/// Checks and normalises how a registry is reached: certificates, proxy, mirror, token server.
void check_connection(
    const ProviderChoice& choice, model::RegistryIntegration& record, Problems& problems);

}  // namespace freshet::registries
