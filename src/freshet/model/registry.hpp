// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/ids.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace freshet::model {

/// The kinds of registry that an integration can be for.
enum class Provider { dockerhub, acr, gcr, gar, ecr, bintray, other };

/// The names under which API and YAML know providers, e.g. `dockerhub`.
std::string_view to_string(Provider provider);
std::optional<Provider> provider_from_string(std::string_view name);

/// A Docker registry that the user connected, by name. Its password is not part of the record: it
/// is kept sealed by the store and fetched at the time of use.
struct RegistryIntegration {
  std::string id;
  std::string name;  // unique, case-sensitive; what `registry:` in a pipeline says
  Provider provider = Provider::other;
  std::string domain;  // host or host:port, lower case; `docker.io` for Docker Hub
  std::string username;
  std::string repository_prefix;  // without slashes at its ends; may be empty
  bool is_default = false;  // at most one integration
  bool is_caching = false;  // at most one integration, never Docker Hub
  bool is_primary = false;  // exactly one per domain: the one that pulls from it
  UnixTime created_at{};
};

}  // namespace freshet::model
