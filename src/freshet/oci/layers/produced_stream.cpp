// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/layers/produced_stream.hpp"

#include "freshet/oci/digest.hpp"
#include "freshet/oci/layers/verified_stream.hpp"
#include "freshet/oci/layers/wake_up.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace freshet::oci {
namespace {

constexpr std::size_t k_chunk_bytes = 256 * 1024;
constexpr std::size_t k_max_chunks = 8;  // ahead of the reader

struct Chunk {
  std::unique_ptr<char[]> bytes = std::make_unique_for_overwrite<char[]>(k_chunk_bytes);
  std::size_t size = 0;
};

/// The chunks between the two sides.
class Queue {
 public:
  void push(Chunk chunk) {
    {
      std::unique_lock lock(mutex_);
      has_room_.wait(lock, [this] { return chunks_.size() < k_max_chunks || is_stopped_; });
      if (is_stopped_) {
        throw Cancelled(StopReason::sibling_failed);
      }
      chunks_.push_back(std::move(chunk));
    }
    wake_up_.notify();
  }

  void end(std::exception_ptr failure) {
    {
      const std::lock_guard lock(mutex_);
      failure_ = failure;
      is_ended_ = true;
    }
    wake_up_.notify();
  }

  void stop() {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
    has_room_.notify_one();
  }

  /// An idle chunk, or a new one.
  Chunk make_chunk() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) {
      return Chunk();
    }
    Chunk chunk = std::move(idle_.back());
    idle_.pop_back();
    chunk.size = 0;
    return chunk;
  }

  /// The next chunk for the reader, in exchange for the one before; none at the end.
  Awaitable<std::optional<Chunk>> next(std::optional<Chunk> before) {
    for (bool is_first = true;; is_first = false) {
      if (!is_first) {
        co_await wake_up_.wait();
      }
      const std::lock_guard lock(mutex_);
      if (before) {
        idle_.push_back(*std::exchange(before, std::nullopt));
      }
      if (!chunks_.empty()) {
        std::optional<Chunk> chunk = std::move(chunks_.front());
        chunks_.pop_front();
        has_room_.notify_one();
        co_return chunk;
      }
      if (failure_) {
        std::rethrow_exception(failure_);
      }
      if (is_ended_) {
        co_return std::nullopt;
      }
    }
  }

 private:
  WakeUp wake_up_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable has_room_;
  std::deque<Chunk> chunks_;
  std::vector<Chunk> idle_;
  bool is_ended_ = false;
  bool is_stopped_ = false;
  std::exception_ptr failure_;
};

class HashingSink final : public ProducerSink {
 public:
  explicit HashingSink(Queue& queue) : queue_(queue), chunk_(queue.make_chunk()) {}

  std::span<char> space() override {
    if (chunk_.size == k_chunk_bytes) {
      push();
      chunk_ = queue_.make_chunk();
    }
    return std::span(chunk_.bytes.get() + chunk_.size, k_chunk_bytes - chunk_.size);
  }

  void commit(std::size_t size) override {
    FRESHET_ASSERT(size <= k_chunk_bytes - chunk_.size);
    chunk_.size += size;
  }

  Digest finish() {
    if (chunk_.size > 0) {
      push();
    }
    return hash_.finish();
  }

 private:
  void push() {
    hash_.update({chunk_.bytes.get(), chunk_.size});
    queue_.push(std::move(chunk_));
  }

  Queue& queue_;
  Chunk chunk_;
  DigestHasher hash_;
};

class ProducedStream final : public net::ByteStream {
 public:
  ProducedStream(std::function<void(ProducerSink&)> produce, Digest expected, std::string what)
      : thread_([this,
                 produce = std::move(produce),
                 expected = std::move(expected),
                 what = std::move(what)] { run(produce, expected, what); }) {}

  ~ProducedStream() override {
    queue_.stop();
    thread_.join();
  }

  Awaitable<std::size_t> read(asio::mutable_buffer buffer) override {
    if (!chunk_ || taken_ == chunk_->size) {
      chunk_ = co_await queue_.next(std::move(chunk_));
      taken_ = 0;
      if (!chunk_) {
        co_return 0;
      }
    }
    const std::size_t count = std::min(buffer.size(), chunk_->size - taken_);
    std::memcpy(buffer.data(), chunk_->bytes.get() + taken_, count);
    taken_ += count;
    co_return count;
  }

 private:
  void run(
      const std::function<void(ProducerSink&)>& produce,
      const Digest& expected,
      const std::string& what) {
    try {
      HashingSink sink(queue_);
      produce(sink);
      const Digest found = sink.finish();
      if (found != expected) {
        throw wrong_layer(what, expected, found);
      }
      queue_.end(nullptr);
    } catch (...) {
      queue_.end(std::current_exception());
    }
  }

  Queue queue_;
  std::optional<Chunk> chunk_;
  std::size_t taken_ = 0;  // of it
  std::thread thread_;  // last, so that it begins when all else is there
};

}  // namespace

void ProducerSink::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::span<char> room = space();
    const std::size_t count = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), count);
    commit(count);
    bytes.remove_prefix(count);
  }
}

std::unique_ptr<net::ByteStream> make_produced_stream(
    std::function<void(ProducerSink&)> produce, Digest expected, std::string what) {
  return std::make_unique<ProducedStream>(std::move(produce), std::move(expected), std::move(what));
}

}  // namespace freshet::oci
