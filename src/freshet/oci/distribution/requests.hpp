// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/http.hpp"
#include "freshet/oci/digest.hpp"
#include "freshet/oci/distribution/registry_error.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace freshet::oci {

// What the requests to a registry have in common: scopes, names, and the digest in an answer.

std::string pull_scope(std::string_view repository);
std::string push_scope(std::string_view repository);  // includes pull, as registries want it

/// Throw invalid_input, so that nothing else than a name gets into a URL.
void require_repository(std::string_view repository);
void require_names(std::string_view repository, std::string_view reference);

/// `team/app:v1` or `team/app@sha256:…`
std::string named(std::string_view repository, std::string_view reference);

/// `application/json` of `Application/JSON; charset=utf-8`.
std::string media_type_of(const net::HttpResponse& response);

/// The digest that the registry claims; nullopt when it claims none. Throws corrupt_data when the
/// claim is malformed or, `reference` being a digest, another.
std::optional<Digest> claimed_digest(
    std::string_view domain, const net::HttpResponse& response, std::string_view reference);

}  // namespace freshet::oci
