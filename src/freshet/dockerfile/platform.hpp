// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/manifest.hpp"

#include <optional>
#include <string_view>

namespace freshet::dockerfile {

/// What `linux/arm64/v8`, `arm64` or `linux` names, with the names of architectures that builders
/// use; what is left out comes from `own`, the machine that builds. nullopt when it is no platform.
/// Source: containerd/platforms.
std::optional<oci::Platform> parse_platform(std::string_view text, const oci::Platform& own);

}  // namespace freshet::dockerfile
