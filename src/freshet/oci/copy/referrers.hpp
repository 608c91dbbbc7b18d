// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/copy/errand.hpp"
#include "freshet/oci/copy/manifest_tree.hpp"

#include <vector>

namespace freshet::oci {

/// Copies what refers to any of `subjects`, and what refers to that: signatures, attestations and
/// the like, those found by the referrers API or its fallback tag, and cosign's tags. After it the
/// target lists them as well. Whatever cannot be copied is thrown: nothing is left out in silence.
/// Source: OCI Distribution Spec 1.1, "Listing Referrers" and "Pushing Manifests with Subject".
Awaitable<void> copy_referrers(
    Errand& errand, Place source, std::vector<Digest> subjects, ManifestBudget& budget);

}  // namespace freshet::oci
