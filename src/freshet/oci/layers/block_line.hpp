// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/digest.hpp"
#include "freshet/oci/layers/block_pool.hpp"
#include "freshet/oci/layers/wake_up.hpp"

#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace freshet::oci {

/// Blocks on their way through the pool: compressed side by side, hashed in their order.
///
/// It is shared between its user (one thread at a time) and the pool's tasks, each of which keeps
/// it alive.
class BlockLine : public std::enable_shared_from_this<BlockLine> {
 public:
  using Buffer = BlockPool::Buffer;

  BlockLine(
      Compression compression,
      asio::thread_pool& pool,
      std::shared_ptr<BlockPool> blocks,
      bool with_input_digest);
  ~BlockLine();

  /// A buffer for one block.
  Buffer take_buffer() { return pooled_->take(); }
  /// Sends a block off; the first `size` bytes of `input` are it.
  void add(Buffer input, std::size_t size);
  /// How many blocks are there, from `add` to `take`.
  std::size_t size() const;
  /// Whether another block would not be too many. There always is when there are none.
  bool has_room() const;
  bool is_front_ready() const;
  /// Waits for the oldest block and takes it. There must be one. Throws what compressing threw.
  Awaitable<std::string> take();
  /// Tasks that have not begun will do nothing.
  void abandon();

  // Digests of all blocks; to be called once all of them are taken.
  std::optional<Digest> finish_input_digest();
  Digest finish_output_digest() { return output_hash_.finish(); }

 private:
  struct Block {
    Buffer input;
    std::size_t input_size = 0;
    std::string output;
    bool is_compressed = false;
    bool is_ready = false;
  };

  void compress_one(const std::shared_ptr<Block>& block);
  void hash_what_is_next();
  std::shared_ptr<Block> next_to_hash();

  const Compression compression_;
  asio::thread_pool& pool_;
  const std::size_t capacity_;
  const std::shared_ptr<BlockPool> pooled_;
  WakeUp wake_up_;
  // Used by the one task that hashes at a time.
  std::optional<DigestHasher> input_hash_;
  DigestHasher output_hash_;

  mutable std::mutex mutex_;  // guards what follows and the blocks' flags
  std::deque<std::shared_ptr<Block>> blocks_;  // oldest first
  std::size_t hashed_ = 0;  // of them, from the front
  bool is_hashing_ = false;
  bool is_abandoned_ = false;
  std::exception_ptr failure_;
};

}  // namespace freshet::oci
