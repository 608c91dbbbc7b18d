// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/copy/layer_choices.hpp"

#include "freshet/oci/copy/image_manifest.hpp"

#include <algorithm>

namespace freshet::oci {
namespace {

constexpr std::size_t k_max_choices = 3;  // each costs a request or two when it fails

bool suits(const KnownLayer& layer, const PushOptions& options) {
  const std::string& type = layer.blob.media_type;
  return is_gzip_layer(type) || (options.compression == Compression::zstd && is_zstd_layer(type));
}

void add_place(std::vector<Place>& places, Place place) {
  const auto is_same = [&](const Place& each) { return each.name() == place.name(); };
  if (std::ranges::none_of(places, is_same)) {
    places.push_back(std::move(place));
  }
}

/// Where else `layer` may be had with the rights that the neighbours lend.
void add_sources(
    WantedBlob& wanted, const KnownLayer& layer, const Place& target, const PushOptions& options) {
  const std::string& domain = target.registry->domain();
  if (layer.domain == domain) {
    wanted.mount_from.push_back(layer.repository);
  }
  for (const Place& neighbour : options.neighbours) {
    if (neighbour.registry->domain() == domain) {
      wanted.mount_from.push_back(neighbour.repository);
      continue;
    }
    if (neighbour.registry->domain() == layer.domain) {
      add_place(wanted.copy_from, Place{neighbour.registry, layer.repository});
    }
    add_place(wanted.copy_from, neighbour);
  }
}

}  // namespace

std::vector<WantedBlob> choices_for(
    const std::vector<KnownLayer>& known, const Place& target, const PushOptions& options) {
  std::vector<WantedBlob> choices;
  for (const KnownLayer& layer : known) {
    if (!suits(layer, options)) {
      continue;
    }
    auto choice = std::ranges::find(
        choices, layer.blob.digest, [](const WantedBlob& each) { return each.blob.digest; });
    if (choice == choices.end()) {
      if (choices.size() == k_max_choices) {
        continue;
      }
      choice = choices.insert(choice, WantedBlob{layer.blob});
    }
    add_sources(*choice, layer, target, options);
  }
  return choices;
}

std::optional<KnownLayer> own_layer(
    const std::vector<KnownLayer>& known, const Place& target, const PushOptions& options) {
  for (const KnownLayer& layer : known) {
    if (layer.domain == target.registry->domain() && layer.repository == target.repository &&
        suits(layer, options)) {
      return layer;
    }
  }
  return std::nullopt;
}

}  // namespace freshet::oci
