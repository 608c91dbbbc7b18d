// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/testing/scripted_http.hpp"
#include "freshet/oci/copy/image_source.hpp"
#include "freshet/oci/copy/layer_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
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

  std::vector<std::size_t> visited;

 private:
  std::vector<std::string> archives_;
  std::vector<Digest> diff_ids_;
  std::string config_;
};

}  // namespace freshet::oci::testing
