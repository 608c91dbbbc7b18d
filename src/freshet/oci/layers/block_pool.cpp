// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/layers/block_pool.hpp"

#include <utility>

namespace freshet::oci {

BlockPool::Buffer BlockPool::take() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) {
    return std::make_unique_for_overwrite<char[]>(k_block_bytes);
  }
  Buffer buffer = std::move(idle_.back());
  idle_.pop_back();
  return buffer;
}

void BlockPool::give_back(Buffer buffer) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(buffer));
}

std::unique_ptr<BlockCompressor> BlockPool::take_compressor(Compression compression) {
  {
    const std::lock_guard lock(mutex_);
    auto& idle = idle_compressors_[compression];
    if (!idle.empty()) {
      std::unique_ptr<BlockCompressor> compressor = std::move(idle.back());
      idle.pop_back();
      return compressor;
    }
  }
  return make_block_compressor(compression);
}

void BlockPool::give_back(Compression compression, std::unique_ptr<BlockCompressor> compressor) {
  const std::lock_guard lock(mutex_);
  idle_compressors_[compression].push_back(std::move(compressor));
}

void BlockPool::begin() {
  const std::lock_guard lock(mutex_);
  ++under_way_;
}

void BlockPool::end(std::size_t count) {
  const std::lock_guard lock(mutex_);
  under_way_ -= count;
  if (under_way_ == 0) {
    idle_.clear();
    idle_compressors_.clear();
  }
}

std::size_t BlockPool::under_way() const {
  const std::lock_guard lock(mutex_);
  return under_way_;
}

}  // namespace freshet::oci
