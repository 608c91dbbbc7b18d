// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/cli/runtime.hpp"
#include "freshet/model/image.hpp"
#include "freshet/oci/copy/image_mover.hpp"
#include "freshet/oci/reference.hpp"
#include "freshet/pipeline/steps/registry_image.hpp"
#include "freshet/registries/naming.hpp"
#include "freshet/registries/pull_plan.hpp"

#include <optional>
#include <string>

namespace freshet::cli {

/// One side of a move: a repository, with whoever is connected for it.
struct Side {
  oci::Reference reference;
  std::optional<model::RegistryIntegration> integration;  // absent: anonymously
  std::optional<registries::PullCandidate> mirror = std::nullopt;  // where pulls ask first
};

/// What a text means. A host in it decides the registry, and that one's integration logs in; with
/// `chosen`, that integration does, and a name without host is below its domain and prefix.
/// Throws invalid_input for a host that is not the chosen one's, not_found for an unknown name.
Side find_side(Runtime& runtime, const std::string& text, const std::string& chosen);

/// Throws unsupported for a registry behind a firewall: nothing here connects to it but runs.
void require_in_reach(const model::RegistryIntegration& integration);

/// A client for that side; what a push needs there is made for a target. Throws as
/// `require_in_reach`.
Awaitable<oci::Place> open_side(Ctx ctx, Runtime& runtime, Side side, bool is_target);

/// What `reference` is at the moment. Throws not_found.
Awaitable<pipeline::RegistryImage> look_up(Ctx ctx, oci::Place place, oci::Reference reference);

/// What `side` is at its mirror, which it must have. Throws not_found.
Awaitable<pipeline::RegistryImage> look_up_at_mirror(Ctx ctx, Runtime& runtime, Side side);

/// An image as the user named it: by its record, else by its reference.
struct KnownImage {
  std::optional<model::ImageRecord> record;
  std::string name;  // what its name elsewhere is made of
  registries::NameSource source = registries::NameSource::build_candidate;
  std::optional<oci::Reference> reference;  // where it is; absent: never pushed
};

/// Throws not_found for what is neither recorded nor a reference with a host.
KnownImage find_known_image(Runtime& runtime, const std::string& text);

/// Where an image goes in a registry: under its own name, or under `name` when that is not empty.
Side compose_side(
    const model::RegistryIntegration& integration,
    const KnownImage& known,
    const std::string& name,
    const std::string& tag);

}  // namespace freshet::cli
