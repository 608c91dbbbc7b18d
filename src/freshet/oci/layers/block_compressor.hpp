// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/layers/compression.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace freshet::oci {

/// Compresses one block after the other, each into a member or frame of its own. For one thread at
/// a time; a big object, to be used again.
class BlockCompressor {
 public:
  virtual ~BlockCompressor() = default;
  /// Gives the same output for the same input, always.
  virtual std::string compress(std::string_view block) = 0;
};

std::unique_ptr<BlockCompressor> make_block_compressor(Compression compression);

}  // namespace freshet::oci
