// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/http.hpp"
#include "freshet/net/url.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace freshet::oci {

/// Where `location` (absolute, or starting with `/`) leads on `registry`, as path and query.
/// nullopt when it leads to another host or nowhere: it is then not to be followed with
/// credentials. Scheme and port may differ: registries behind a proxy often do not know their own.
std::optional<std::string> target_on(const net::Url& registry, std::string_view location);

/// The target of the next page that a list answer links to.
/// Throws corrupt_data when that link leads off the registry.
/// Source: OCI Distribution Spec 1.1, "Listing Tags"; RFC 8288.
std::optional<std::string> next_page(const net::Url& registry, const net::HttpResponse& response);

}  // namespace freshet::oci
