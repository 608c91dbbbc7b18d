// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/reference.hpp"

#include <string>
#include <string_view>

namespace freshet::registries {

/// Where the name of a pushed image comes from; decides what a registry host at its start means.
enum class NameSource {
  build_image_name,  // `image_name` of a build step
  push_image_name,  // `image_name` that a user put on a push step
  explicit_candidate,  // a push step's `candidate` that is a reference
  build_candidate,  // a push step's `candidate: ${{build}}`: the build's logical name
};

/// What a push reference is made of, as users and integrations say it (variables filled in).
struct PushTarget {
  std::string domain;  // of the integration
  std::string prefix;  // of the integration; may be empty
  std::string name;
  NameSource source = NameSource::build_image_name;
  std::string tag;
};

/// Composes `domain/path:tag`.
///
/// A name that starts with the registry's own host is absolute: the prefix is not added. One that
/// starts with another host is stripped of it when it is a candidate, and refused when a user wrote
/// it as image name. Every other name gets the prefix. An explicit candidate may carry a tag or
/// digest of its own, which are dropped; an image name may not.
/// Throws invalid_input saying which part is wrong.
oci::Reference compose_push_reference(const PushTarget& target);

/// A prefix without blanks and slashes at its ends. Throws invalid_input when it is no repository
/// path.
std::string normalise_prefix(std::string_view prefix);

/// Throws invalid_input when `registry:` in a pipeline could not name an integration so.
void validate_integration_name(std::string_view name);

/// The host[:port] that `domain` means: lower case, without `https://` and trailing `/`, aliases of
/// Docker Hub as `docker.io`. Throws invalid_input when more than a host is left.
std::string validate_domain(std::string_view domain);

/// Whether a `registry:` value is a host instead of the name of an integration: optional `http://`
/// or `https://`, at least two dot-separated labels, optional port, path, query and fragment.
bool is_web_address(std::string_view text);

/// host[:port] of such a value, lower case.
std::string host_of_web_address(std::string_view text);

}  // namespace freshet::registries
