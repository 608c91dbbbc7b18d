// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/copy/layer_hints.hpp"

#include "freshet/oci/copy/parallel.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>

namespace freshet::oci {
namespace json = boost::json;
namespace {

constexpr std::size_t k_max_config_bytes = 1024UL * 1024;  // real ones have about ten thousand
constexpr std::size_t k_max_all_configs_bytes = 8UL * 1024 * 1024;
constexpr std::array<std::string_view, 2> k_config_media_types{
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.oci.image.config.v1+json",
};

/// An image of the tree whose configuration is wanted and small enough to be looked into.
struct Subject {
  const TreeNode* node = nullptr;
  WantedBlob* config = nullptr;
};

std::vector<Subject> subjects_of(const ManifestTree& tree, std::vector<WantedBlob>& wanted) {
  std::vector<Subject> subjects;
  std::size_t left = k_max_all_configs_bytes;
  for (const auto& [digest, node] : tree.nodes()) {
    if (node.is_at_target || !node.parts.config) {
      continue;
    }
    const Descriptor& config = node.parts.config->descriptor;
    if (config.size_bytes > std::min(left, k_max_config_bytes) ||
        std::ranges::find(k_config_media_types, config.media_type) == k_config_media_types.end()) {
      continue;
    }
    const auto blob = std::ranges::find(
        wanted, config.digest, [](const WantedBlob& each) { return each.blob.digest; });
    if (blob != wanted.end()) {
      left -= config.size_bytes;
      subjects.push_back({&node, &*blob});
    }
  }
  return subjects;
}

/// A copy takes an image as it is, sound or not: this only looks for hints.
std::vector<Digest> hinted_diff_ids(std::string_view config) {
  try {
    return diff_ids_of(config);
  } catch (const Error&) {
    return {};
  }
}

/// Without it there are no hints; if it is gone, the copy itself will say so.
Awaitable<std::optional<std::string>> read_config(Errand& errand, Place source, Descriptor config) {
  try {
    co_return co_await source.registry->get_blob(
        errand.ctx(), source.repository, config, k_max_config_bytes);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::deadline_exceeded) {
      throw;
    }
  }
  co_return std::nullopt;
}

void add_mounts(
    std::vector<WantedBlob>& wanted, const Place& target, const std::vector<KnownLayer>& known) {
  for (const KnownLayer& layer : known) {
    for (WantedBlob& blob : wanted) {
      if (layer.blob.digest == blob.blob.digest && layer.domain == target.registry->domain()) {
        blob.mount_from.push_back(layer.repository);
      }
    }
  }
}

}  // namespace

std::vector<Digest> diff_ids_of(std::string_view config) {
  boost::system::error_code failure;
  const json::value value = json::parse(config, failure);
  const json::value* list = failure ? nullptr : value.find_pointer("/rootfs/diff_ids", failure);
  if (list == nullptr || !list->is_array()) {
    throw Error(ErrorCode::corrupt_data, "the image's configuration has no list of layers");
  }
  std::vector<Digest> diff_ids;
  for (const json::value& item : list->get_array()) {
    auto digest = item.is_string() ? Digest::parse(item.get_string()) : std::nullopt;
    if (!digest) {
      throw Error(ErrorCode::corrupt_data, "the image's configuration has a malformed diff id");
    }
    diff_ids.push_back(std::move(*digest));
  }
  return diff_ids;
}

Awaitable<std::vector<KnownLayer>> find_layers(Errand& errand, Digest diff_id) {
  const auto find = [&] {
    const Place& target = errand.target();
    return errand.state().memory.find(diff_id, target.registry->domain(), target.repository);
  };
  co_return co_await offload(errand.state().pool, find);
}

Awaitable<void> remember_layers(Errand& errand, std::vector<KnownLayer> layers) {
  if (layers.empty()) {
    co_return;
  }
  const auto remember = [&] {
    for (const KnownLayer& layer : layers) {
      errand.state().memory.remember(layer);
    }
  };
  co_await offload(errand.state().pool, remember);
}

Awaitable<std::vector<KnownLayer>> add_layer_hints(
    Errand& errand, const ManifestTree& tree, Place source, std::vector<WantedBlob>& wanted) {
  std::vector<KnownLayer> to_remember;
  const std::vector<Subject> subjects = subjects_of(tree, wanted);
  const auto look_into = [&](std::size_t index) -> Awaitable<void> {
    const Subject& subject = subjects[index];
    std::optional<std::string> config = co_await read_config(errand, source, subject.config->blob);
    if (!config) {
      co_return;
    }
    const std::vector<Digest> diff_ids = hinted_diff_ids(*config);
    subject.config->bytes = std::move(config);
    const std::vector<ManifestEntry>& layers = subject.node->parts.layers;
    for (std::size_t i = 0; i < layers.size() && diff_ids.size() == layers.size(); ++i) {
      const std::vector<KnownLayer> known = co_await find_layers(errand, diff_ids[i]);
      add_mounts(wanted, errand.target(), known);
      // A configuration may claim any layers: only what a push has proved may be said again.
      const Digest& blob = layers[i].descriptor.digest;
      const bool is_proved = std::ranges::any_of(
          known, [&blob](const KnownLayer& layer) { return layer.blob.digest == blob; });
      if (is_proved) {
        const Place& target = errand.target();
        to_remember.push_back(
            {diff_ids[i], layers[i].descriptor, target.registry->domain(), target.repository});
      }
    }
  };
  co_await for_each_at_once(subjects.size(), Errand::k_at_once, look_into);
  co_return to_remember;
}

}  // namespace freshet::oci
