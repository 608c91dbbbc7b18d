// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/engine/docker/types.hpp"

#include <optional>

namespace freshet::engine {

/// The value of the header `X-Registry-Auth`: JSON in base64 with the URL-safe alphabet. Without
/// credentials it is that of an empty object, for old engines read the body when it is absent.
/// Source: Docker Engine API, "Authentication".
Secret to_registry_auth_header(const std::optional<RegistryAuth>& auth);

}  // namespace freshet::engine
