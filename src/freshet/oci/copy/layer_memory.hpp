// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/descriptor.hpp"

#include <string>
#include <vector>

namespace freshet::oci {

/// A compressed layer that some registry was seen to have.
struct KnownLayer {
  Digest diff_id;
  Descriptor blob;
  std::string domain;
  std::string repository;
};

/// Remembers what uncompressed layers became and where they are, across runs. It is a hint: whoever
/// uses it asks the registry. Thread-safe; may block shortly.
class LayerMemory {
 public:
  virtual ~LayerMemory() = default;

  /// Newest first; those in `domain`/`repository` before those elsewhere in `domain`, then others.
  virtual std::vector<KnownLayer> find(
      const Digest& diff_id, std::string_view domain, std::string_view repository) = 0;
  virtual void remember(const KnownLayer& layer) = 0;
  /// The registry does not have it (any more).
  virtual void forget(const KnownLayer& layer) = 0;
};

}  // namespace freshet::oci
