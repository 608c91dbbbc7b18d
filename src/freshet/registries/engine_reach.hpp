// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/model/registry.hpp"
#include "freshet/registries/pull_plan.hpp"

#include <string>

namespace freshet::registries {

/// Why no container engine can reach a registry as its integration says: an engine can be told a
/// login, but neither authorities nor certificates nor a proxy of one registry. It ends a sentence
/// about the engine: `cannot be told the proxy of registry 'x'`. Empty: the engine can. Pure.
std::string why_beyond_engine(const model::RegistryIntegration& integration);
/// The same for one way to pull.
std::string why_beyond_engine(const PullCandidate& way);

}  // namespace freshet::registries
