// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/model/registry.hpp"
#include "freshet/registries/connection_test.hpp"

#include <boost/json/object.hpp>

#include <cstdio>

namespace freshet::cli {

/// One line a check, with the registry's words and a hint below what failed.
void print_report(const registries::ConnectionReport& report, std::FILE* out);

boost::json::object to_json(
    const registries::ConnectionReport& report, const model::RegistryIntegration& registry);

}  // namespace freshet::cli
