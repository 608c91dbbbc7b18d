// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"
#include "freshet/oci/digest.hpp"

#include <functional>
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

using VisitOne = std::function<Awaitable<void>(std::size_t index)>;

/// Visits layers that are at hand on a disk, lowest first: the next begins while one is still read,
/// for before the first byte of each a registry may take its time.
Awaitable<void> visit_stored(std::map<oci::Digest, std::size_t> layers, VisitOne visit);

/// Whether `config` is an image's configuration with just these layers.
bool is_config_of(std::string_view config, const std::vector<oci::Digest>& diff_ids);

}  // namespace freshet::engine
