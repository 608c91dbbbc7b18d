// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/copy/layer_memory.hpp"
#include "freshet/store/stores.hpp"

namespace freshet::registries {

/// The store's known layers as the image mover wants them. What the store cannot do or does not
/// understand is as if it knew nothing: these are hints.
class StoredLayerMemory final : public oci::LayerMemory {
 public:
  explicit StoredLayerMemory(store::LayerStore& store) : store_(store) {}

  std::vector<oci::KnownLayer> find(
      const oci::Digest& diff_id, std::string_view domain, std::string_view repository) override;
  void remember(const oci::KnownLayer& layer) override;
  void forget(const oci::KnownLayer& layer) override;

 private:
  store::LayerStore& store_;
};

}  // namespace freshet::registries
