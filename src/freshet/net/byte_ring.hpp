// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>

namespace freshet::net {

/// A bounded queue of bytes. Its memory comes with the first byte, and it is not for several
/// threads, but for this: whoever fills `space()` may do so while others `take`.
class ByteRing {
 public:
  static constexpr std::size_t k_capacity = 512UL * 1024;

  std::size_t size() const { return used_; }
  bool is_empty() const { return used_ == 0; }
  std::size_t free() const { return k_capacity - used_; }

  /// The next free bytes that lie together; `commit` makes the first `count` of them content.
  boost::asio::mutable_buffer space() {
    if (bytes_ == nullptr) {
      bytes_ = std::make_unique_for_overwrite<char[]>(k_capacity);
    }
    if (used_ == 0) {
      start_ = 0;  // what was written last is still in the processor's cache
    }
    const std::size_t end = (start_ + used_) % k_capacity;
    return {bytes_.get() + end, std::min(free(), k_capacity - end)};
  }
  void commit(std::size_t count) { used_ += count; }

  /// All of it must fit in.
  void put(const char* data, std::size_t count) {
    while (count > 0) {
      const auto room = space();
      const std::size_t part = std::min(count, room.size());
      std::memcpy(room.data(), data, part);
      commit(part);
      data += part;
      count -= part;
    }
  }

  /// Takes up to `count` of the oldest bytes; gives how many.
  std::size_t take(char* data, std::size_t count) {
    const std::size_t wanted = std::min(count, used_);
    for (std::size_t done = 0; done < wanted;) {
      const std::size_t part = std::min(wanted - done, k_capacity - start_);
      std::memcpy(data + done, bytes_.get() + start_, part);
      start_ = (start_ + part) % k_capacity;
      used_ -= part;
      done += part;
    }
    return wanted;
  }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t start_ = 0;
  std::size_t used_ = 0;
};

}  // namespace freshet::net
