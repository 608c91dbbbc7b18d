// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/digest.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace freshet::oci {

/// An image reference with its registry spelled out: `docker.io/library/alpine:3.19`.
/// Source: the reference grammar of the distribution project; OCI Distribution Spec 1.1.
struct Reference {
  std::string domain;  // host[:port], lower case; Docker Hub is always `docker.io`
  std::string path;  // repository, e.g. `library/alpine`
  std::string tag;  // empty when absent
  std::optional<Digest> digest;

  /// Parses as the docker command does: no domain means Docker Hub, one component there gets
  /// `library/`. Absent tag and digest stay absent. Throws invalid_input saying what is wrong.
  static Reference parse(std::string_view text);

  /// `domain/path`
  std::string name() const { return domain + "/" + path; }
  /// The tag, or `latest` when there is neither tag nor digest.
  std::string tag_or_latest() const;
  std::string to_string() const;
  bool operator==(const Reference&) const = default;
};

/// Whether the first component of `name` (text up to the first `/`) is a registry host: it contains
/// `.` or `:`, or is `localhost`. nullopt when there is no such component.
std::optional<std::string> leading_domain(std::string_view name);

/// Lower case, and every alias of Docker Hub (`index.docker.io`, `registry-1.docker.io`) as
/// `docker.io`.
std::string canonical_domain(std::string_view domain);

/// Whether `domain` is a host with an optional port (1 to 65535): dot-separated labels of letters,
/// digits and inner dashes, or an IPv6 address in brackets.
bool is_valid_domain(std::string_view domain);
bool is_valid_repository_path(std::string_view path);  // lower case components, length <= 255
bool is_valid_tag(std::string_view tag);  // [A-Za-z0-9_][A-Za-z0-9_.-]{0,127}

}  // namespace freshet::oci
