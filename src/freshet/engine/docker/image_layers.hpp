// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/digest.hpp"

#include <map>
#include <set>
#include <string_view>
#include <vector>

namespace freshet::engine {

/// The names of a layer together with all below it, lowest first.
/// Source: OCI Image Spec 1.1, "Layer ChainID".
std::vector<oci::Digest> chain_ids(const std::vector<oci::Digest>& diff_ids);

/// The lowest wanted index of each different layer.
std::map<oci::Digest, std::size_t> first_of_equal(
    const std::vector<oci::Digest>& diff_ids, const std::set<std::size_t>& wanted);

/// Whether `config` is an image's configuration with just these layers.
bool is_config_of(std::string_view config, const std::vector<oci::Digest>& diff_ids);

}  // namespace freshet::engine
