// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/manifest.hpp"

#include <string_view>

namespace freshet::oci {

/// The entry of `index` for `platform` (os/architecture[/variant]). Without a variant any will do,
/// best one that says none. Throws not_found, which lists the platforms that there are.
const ManifestEntry& entry_for(const ParsedManifest& index, std::string_view platform);

}  // namespace freshet::oci
