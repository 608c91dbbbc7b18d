// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/registry_load.hpp"

#include "freshet/base/text.hpp"
#include "freshet/engine/docker/tar_stream.hpp"
#include "freshet/oci/copy/layer_hints.hpp"
#include "freshet/pipeline/steps/registry_image.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace freshet::pipeline {
namespace {

namespace json = boost::json;

constexpr std::size_t k_max_config_bytes = 4UL * 1024 * 1024;

struct Found {
  std::vector<oci::Descriptor> layers;  // lowest first
  oci::Digest config_digest;
  std::string config;
  std::vector<std::string> diff_ids;
};

/// As engines name them. Throws corrupt_data when the configuration does not tell as many as there
/// are layers.
std::vector<std::string> diff_ids_of(std::string_view config, std::size_t layer_count) {
  std::vector<std::string> out;
  std::ranges::transform(
      oci::diff_ids_of(config), std::back_inserter(out), &oci::Digest::to_string);
  if (out.size() != layer_count) {
    throw Error(
        ErrorCode::corrupt_data,
        fmt::format(
            "the configuration of the image tells of {} layers, its manifest of {}",
            out.size(),
            layer_count));
  }
  return out;
}

Awaitable<Found> find_in_registry(Ctx ctx, oci::Place place, oci::Reference reference) {
  const std::string asked =
      reference.digest ? reference.digest->to_string() : reference.tag_or_latest();
  const oci::ParsedManifest manifest = co_await get_own_manifest(ctx, place, asked);
  if (!manifest.config) {
    throw Error(ErrorCode::unsupported, fmt::format("{} is no image", reference.to_string()));
  }
  std::string config = co_await place.registry->get_blob(
      ctx, place.repository, manifest.config->descriptor, k_max_config_bytes);
  std::vector<std::string> diff_ids = diff_ids_of(config, manifest.layers.size());
  std::vector<oci::Descriptor> layers;
  std::ranges::transform(
      manifest.layers, std::back_inserter(layers), &oci::ManifestEntry::descriptor);
  co_return Found{
      std::move(layers),
      manifest.config->descriptor.digest,
      std::move(config),
      std::move(diff_ids)};
}

std::string file_of_config(const Found& image) {
  return fmt::format("{}.json", image.config_digest.hex());
}

std::string file_of(const oci::Descriptor& layer) {
  return fmt::format("{}.tar", layer.digest.hex());
}

/// The file that says what belongs together.
std::string list_of(const Found& image, const oci::Reference& name) {
  json::array layers;
  for (const oci::Descriptor& layer : image.layers) {
    layers.emplace_back(file_of(layer));
  }
  json::object entry{
      {"Config", file_of_config(image)},
      {"RepoTags", json::array{name.to_string()}},
      {"Layers", std::move(layers)}};
  return json::serialize(json::array{std::move(entry)});
}

std::vector<engine::TarMember> members_of(
    Ctx ctx, StepScope scope, oci::Place place, const Found& image, const oci::Reference& name) {
  std::vector<engine::TarMember> out;
  out.push_back(engine::make_tar_member("manifest.json", list_of(image, name)));
  out.push_back(engine::make_tar_member(file_of_config(image), image.config));
  std::set<std::string> written;
  for (const oci::Descriptor& layer : image.layers) {
    if (!written.insert(file_of(layer)).second) {
      continue;
    }
    out.push_back({file_of(layer), layer.size_bytes, [ctx, scope, place, layer] {
                     scope.log.line(fmt::format(
                         "{}: {}", layer.digest.hex().substr(0, 12), human_size(layer.size_bytes)));
                     return place.registry->open_blob(ctx, place.repository, layer);
                   }});
  }
  return out;
}

/// Whether the engine made of it what the registry has; engines that keep images in containerd
/// have ids of their own.
bool is_that_image(const engine::ImageDetails& details, const Found& image) {
  return details.id == image.config_digest.to_string() || details.diff_ids == image.diff_ids;
}

}  // namespace

oci::Reference loaded_name(oci::Reference reference) {
  if (reference.digest) {
    reference.tag = fmt::format("sha256-{}", reference.digest->hex());
    reference.digest.reset();
  } else {
    reference.tag = reference.tag_or_latest();
  }
  return reference;
}

Awaitable<std::string> load_from_registry(
    Ctx ctx, StepScope scope, registries::PullCandidate way, PullOptions options) {
  engine::DockerClient& docker = scope.services.engine;
  oci::Place place;
  place.registry = co_await open_registry(ctx, scope, way, std::move(options));
  place.repository = way.reference.path;
  const oci::Reference name = loaded_name(way.reference);
  const Found image = co_await find_in_registry(ctx, place, way.reference);

  const auto known = co_await docker.find_image(ctx, image.config_digest.to_string());
  if (known) {
    co_await docker.tag_image(ctx, known->id, name.name(), name.tag);
    scope.log.line(fmt::format("The engine has {} already", known->id.substr(0, 19)));
    co_return known->id;
  }
  engine::TarStream archive(members_of(ctx, scope, place, image, name));
  co_await docker.load_images(ctx, archive, archive.size_bytes());
  const auto loaded = co_await docker.find_image(ctx, name.to_string());
  if (!loaded || !is_that_image(*loaded, image)) {
    throw Error(
        ErrorCode::conflict,
        fmt::format("another program moved '{}' in the engine while it was loaded", name.name()));
  }
  co_return loaded->id;
}

}  // namespace freshet::pipeline
