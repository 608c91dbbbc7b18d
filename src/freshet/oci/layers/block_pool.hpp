// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/layers/block_compressor.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace freshet::oci {

/// What compressions share: how many blocks they have under way together, and the buffers and
/// compressors that one has no use for at the moment. Thread-safe.
class BlockPool {
 public:
  static constexpr std::size_t k_block_bytes = 1024 * 1024;
  using Buffer = std::unique_ptr<char[]>;  // of `k_block_bytes`

  Buffer take();
  void give_back(Buffer buffer);
  std::unique_ptr<BlockCompressor> take_compressor(Compression compression);
  void give_back(Compression compression, std::unique_ptr<BlockCompressor> compressor);

  void begin();
  /// What is idle goes with the last block.
  void end(std::size_t count);
  std::size_t under_way() const;

 private:
  mutable std::mutex mutex_;  // guards what follows
  std::size_t under_way_ = 0;
  std::vector<Buffer> idle_;
  std::map<Compression, std::vector<std::unique_ptr<BlockCompressor>>> idle_compressors_;
};

}  // namespace freshet::oci
