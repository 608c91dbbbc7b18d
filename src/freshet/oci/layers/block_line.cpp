// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/layers/block_line.hpp"

#include <boost/asio/execution/occupancy.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>

#include <algorithm>

namespace freshet::oci {
namespace {

// A block takes at most twice its size, before and after, and all that is under way at most 16 MiB,
// but for the few blocks that each line may have however many the others have.
constexpr std::size_t k_max_blocks = 8;
constexpr std::size_t k_own_blocks = 2;

std::size_t capacity_for(asio::thread_pool& pool) {
  const std::size_t threads = asio::query(pool.get_executor(), asio::execution::occupancy);
  return std::min(2 * threads + 2, k_max_blocks);
}

}  // namespace

BlockLine::BlockLine(
    Compression compression,
    asio::thread_pool& pool,
    std::shared_ptr<BlockPool> blocks,
    bool with_input_digest)
    : compression_(compression),
      pool_(pool),
      capacity_(capacity_for(pool)),
      pooled_(std::move(blocks)) {
  if (with_input_digest) {
    input_hash_.emplace();
  }
}

BlockLine::~BlockLine() {
  pooled_->end(blocks_.size());
}

void BlockLine::add(Buffer input, std::size_t size) {
  auto block = std::make_shared<Block>();
  block->input = std::move(input);
  block->input_size = size;
  {
    const std::lock_guard lock(mutex_);
    blocks_.push_back(block);
  }
  pooled_->begin();
  auto task = [self = shared_from_this(), block = std::move(block)] { self->compress_one(block); };
  asio::post(pool_, std::move(task));
}

void BlockLine::compress_one(const std::shared_ptr<Block>& block) {
  {
    const std::lock_guard lock(mutex_);
    if (is_abandoned_) {
      return;
    }
  }
  std::exception_ptr failure;
  try {
    std::unique_ptr<BlockCompressor> compressor = pooled_->take_compressor(compression_);
    block->output = compressor->compress(std::string_view(block->input.get(), block->input_size));
    pooled_->give_back(compression_, std::move(compressor));
  } catch (...) {
    failure = std::current_exception();
  }
  {
    const std::lock_guard lock(mutex_);
    block->is_compressed = true;
    failure_ = failure ? failure : failure_;
  }
  hash_what_is_next();
}

/// The oldest block that has not been hashed, if it is compressed. Hands on who hashes.
std::shared_ptr<BlockLine::Block> BlockLine::next_to_hash() {
  if (is_abandoned_ || hashed_ == blocks_.size() || !blocks_[hashed_]->is_compressed) {
    is_hashing_ = false;
    return nullptr;
  }
  is_hashing_ = true;
  return blocks_[hashed_];
}

/// Whoever has compressed a block hashes it and those behind it that waited for it, unless another
/// task is doing so, which then comes to this one too.
void BlockLine::hash_what_is_next() {
  std::unique_lock lock(mutex_);
  if (is_hashing_) {
    return;
  }
  while (const std::shared_ptr<Block> block = next_to_hash()) {
    lock.unlock();
    if (input_hash_) {
      input_hash_->update({block->input.get(), block->input_size});
    }
    output_hash_.update(block->output);
    pooled_->give_back(std::move(block->input));
    lock.lock();
    block->is_ready = true;
    ++hashed_;
    wake_up_.notify();
  }
}

std::size_t BlockLine::size() const {
  const std::lock_guard lock(mutex_);
  return blocks_.size();
}

bool BlockLine::has_room() const {
  const std::size_t own = size();
  return own < k_own_blocks || (own < capacity_ && pooled_->under_way() < capacity_);
}

bool BlockLine::is_front_ready() const {
  const std::lock_guard lock(mutex_);
  return !blocks_.empty() && blocks_.front()->is_ready;
}

Awaitable<std::string> BlockLine::take() {
  while (!is_front_ready()) {
    co_await wake_up_.wait();
  }
  const std::lock_guard lock(mutex_);
  if (failure_) {
    std::rethrow_exception(failure_);
  }
  std::string output = std::move(blocks_.front()->output);
  blocks_.pop_front();
  --hashed_;
  pooled_->end(1);
  co_return output;
}

void BlockLine::abandon() {
  const std::lock_guard lock(mutex_);
  is_abandoned_ = true;
}

std::optional<Digest> BlockLine::finish_input_digest() {
  return input_hash_ ? std::optional(input_hash_->finish()) : std::nullopt;
}

}  // namespace freshet::oci
