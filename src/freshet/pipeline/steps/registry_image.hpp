// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/model/image.hpp"
#include "freshet/oci/copy/image_mover.hpp"
#include "freshet/oci/manifest.hpp"
#include "freshet/oci/reference.hpp"
#include "freshet/pipeline/run/scope.hpp"
#include "freshet/pipeline/steps/pull.hpp"

#include <optional>
#include <string>

namespace freshet::pipeline {

/// An image that a registry has, held by its digest: a tag that moves meanwhile changes nothing.
struct RegistryImage {
  oci::Place place;
  oci::Descriptor manifest;

  /// `domain/path@sha256:…`
  std::string repo_digest() const { return place.name() + "@" + manifest.digest.to_string(); }
};

/// Finds what `reference` is at the moment, by the best way to pull it that answers.
/// Throws what the reference's own registry answers; not_found when it does not have it.
Awaitable<RegistryImage> find_registry_image(
    Ctx ctx, StepScope scope, oci::Reference reference, PullOptions options);

/// What the registry of `reference` itself has under its digest: a mirror may have what is gone.
Awaitable<std::optional<RegistryImage>> find_by_digest(
    Ctx ctx, StepScope scope, oci::Reference reference, PullOptions options);

/// The manifest under a tag or digest. Throws what `RegistryClient::get_manifest` throws.
Awaitable<oci::ParsedManifest> get_parsed_manifest(
    Ctx ctx, oci::Place place, std::string reference);

/// The same; of an index, that of the image for this machine's kind. Throws also what
/// `oci::entry_for` throws.
Awaitable<oci::ParsedManifest> get_own_manifest(Ctx ctx, oci::Place place, std::string reference);

/// What names the image for this machine in its record: the digest of its configuration, in hex.
/// nullopt when there is none in it (a signature, say).
Awaitable<std::optional<std::string>> find_internal_image_id(Ctx ctx, RegistryImage image);

/// The label by which an image tells of what it was built; see `cache::make_image_key`.
constexpr const char* k_key_label = "io.codefresh.repo.hash";

struct DescribedImage {
  model::ImageRecord record;
  std::string key_label;  // what the image claims; empty: nothing
};

/// What the registry tells about an image, as the start of its record: of an index, the image for
/// this machine's kind. Its size is that of the layers as they are sent.
Awaitable<DescribedImage> describe_registry_image(Ctx ctx, RegistryImage image);

/// os/architecture of this machine, in the words of image indexes.
std::string own_platform();

/// An image's record as far as its manifest and configuration tell. Throws corrupt_data. Pure.
model::ImageRecord parse_image_record(
    const oci::ParsedManifest& manifest, std::string_view configuration);

}  // namespace freshet::pipeline
