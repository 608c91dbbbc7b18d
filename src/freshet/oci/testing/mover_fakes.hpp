// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/testing/scripted_http.hpp"
#include "freshet/oci/copy/image_source.hpp"
#include "freshet/oci/copy/layer_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace freshet::oci::testing {

class FakeLayerMemory final : public LayerMemory {
 public:
  std::vector<KnownLayer> find(
      const Digest& diff_id, std::string_view domain, std::string_view repository) override {
    const std::lock_guard lock(mutex_);
    std::vector<KnownLayer> found;
    for (const KnownLayer& layer : layers_) {
      if (layer.diff_id == diff_id) {
        found.push_back(layer);
      }
    }
    std::ranges::stable_sort(found, std::ranges::greater(), [&](const KnownLayer& layer) {
      const bool is_near = layer.domain == domain;
      return is_near + (is_near && layer.repository == repository ? 1 : 0);
    });
    return found;
  }
  void remember(const KnownLayer& layer) override {
    forget(layer);
    const std::lock_guard lock(mutex_);
    layers_.insert(layers_.begin(), layer);
  }
  void forget(const KnownLayer& layer) override {
    const std::lock_guard lock(mutex_);
    std::erase_if(layers_, [&](const KnownLayer& each) {
      return each.diff_id == layer.diff_id && each.domain == layer.domain &&
             each.repository == layer.repository && each.blob.digest == layer.blob.digest;
    });
  }
  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return layers_.size();
  }

 private:
  std::mutex mutex_;
  std::vector<KnownLayer> layers_;
};

/// An image of given archives. It writes down which of them were read.
class FakeImage final : public ImageSource {
 public:
  explicit FakeImage(std::vector<std::string> archives) : archives_(std::move(archives)) {
    std::string list;
    for (const std::string& archive : archives_) {
      diff_ids_.push_back(Digest::of(archive));
      list += fmt::format("{}\"{}\"", list.empty() ? "" : ",", diff_ids_.back().to_string());
    }
    config_ = fmt::format(
        R"({{"os":"linux","architecture":"amd64","rootfs":{{"type":"layers","diff_ids":[{}]}}}})",
        list);
  }

  const std::vector<Digest>& diff_ids() const override { return diff_ids_; }
  Awaitable<std::string> config(Ctx) override { co_return config_; }
  Awaitable<void> visit_layers(Ctx, std::set<std::size_t> wanted, Visitor visit) override {
    for (const std::size_t index : wanted) {
      visited.push_back(index);
      auto tar = std::make_unique<net::testing::TextStream>(archives_.at(index), 64UL * 1024);
      co_await visit(index, std::move(tar));
    }
  }
  std::string_view name() const override { return "the test's image"; }
  Awaitable<std::optional<Manifest>> manifest(Ctx) override { co_return manifest_; }
  Awaitable<void> visit_blobs(Ctx, std::set<std::size_t> wanted, Visitor visit) override {
    for (const std::size_t index : wanted) {
      visited_blobs.push_back(index);
      auto blob = std::make_unique<net::testing::TextStream>(blobs_.at(index), 64UL * 1024);
      co_await visit(index, std::move(blob));
    }
  }

  /// Keeps the layers as `blobs` of that media type, under a manifest of its own.
  void keep(std::vector<std::string> blobs, std::string_view layer_type) {
    blobs_ = std::move(blobs);
    std::string layers;
    for (const std::string& blob : blobs_) {
      layers += (layers.empty() ? "" : ",") + descriptor_text(layer_type, blob);
    }
    const std::string type = "application/vnd.oci.image.manifest.v1+json";
    std::string bytes = fmt::format(
        R"({{"schemaVersion":2,"mediaType":"{}","config":{},"layers":[{}],)"
        R"("annotations":{{"kept":"as it is"}}}})",
        type,
        descriptor_text("application/vnd.oci.image.config.v1+json", config_),
        layers);
    manifest_ = Manifest{Descriptor{type, Digest::of(bytes), bytes.size()}, bytes};
  }

  std::vector<std::size_t> visited;
  std::vector<std::size_t> visited_blobs;

 private:
  static std::string descriptor_text(std::string_view media_type, const std::string& content) {
    return fmt::format(
        R"({{"mediaType":"{}","digest":"{}","size":{}}})",
        media_type,
        Digest::of(content).to_string(),
        content.size());
  }

  std::vector<std::string> archives_;
  std::vector<Digest> diff_ids_;
  std::string config_;
  std::vector<std::string> blobs_;
  std::optional<Manifest> manifest_;
};

}  // namespace freshet::oci::testing
