// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/model/registry.hpp"
#include "freshet/oci/reference.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::registries {

/// One way to pull an image.
struct PullCandidate {
  /// Whose login and connection settings are used; nullopt: anonymously.
  std::optional<model::RegistryIntegration> integration;
  oci::Reference reference;
  std::string reason;  // for logs: why this one
  /// `reference` is at the mirror of `integration`: its connection settings hold there, its login
  /// does not.
  bool is_mirror = false;
};

/// The ways to pull `reference`, best first; the next one is for when the one before has failed,
/// retries and all. `all` are the connected registries, oldest first.
///
/// The integration is, among those of the reference's domain: the one that `contexts` (the
/// `registry_context` or `registry_contexts` of a step) names; else the only one; else the one
/// whose prefix is the longest that the repository lies below, whole components compared; else the
/// primary one. With none the pull is anonymous. Its mirror comes before it, its fallback after it
/// (but not that one's fallback).
/// Throws as `require_contexts`. Pure.
std::vector<PullCandidate> resolve_pull(
    const std::vector<model::RegistryIntegration>& all,
    const oci::Reference& reference,
    const std::vector<std::string>& contexts = {});

/// Throws invalid_input when a name is none of `all`, or when two of them share a domain.
void require_contexts(
    const std::vector<model::RegistryIntegration>& all, const std::vector<std::string>& contexts);

/// The only integration of `host` (any spelling), else its primary one; nullopt when there is none.
std::optional<model::RegistryIntegration> puller_of_domain(
    const std::vector<model::RegistryIntegration>& all, std::string_view host);

/// `reference` of `source` as `fallback` has it: the same path there, the prefix of the one in
/// place of the prefix of the other. Pure.
oci::Reference map_to_fallback(
    const model::RegistryIntegration& source,
    const model::RegistryIntegration& fallback,
    const oci::Reference& reference);

/// Whether `path` is `prefix` or lies below it; everything lies below an empty one.
bool is_below(std::string_view path, std::string_view prefix);

}  // namespace freshet::registries
