// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/byte_stream.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace freshet::oci::testing {

/// Gives a text in pieces; at its end it ends, throws, or waits for ever.
class MemoryStream : public net::ByteStream {
 public:
  explicit MemoryStream(std::string content, std::size_t piece = 64 * 1024)
      : content_(std::move(content)), piece_(piece) {}

  static std::unique_ptr<MemoryStream> failing(std::string content, Error failure) {
    auto stream = std::make_unique<MemoryStream>(std::move(content));
    stream->failure_ = std::move(failure);
    return stream;
  }
  static std::unique_ptr<MemoryStream> endless(std::string content) {
    auto stream = std::make_unique<MemoryStream>(std::move(content));
    stream->is_endless_ = true;
    return stream;
  }

  Awaitable<std::size_t> read(asio::mutable_buffer buffer) override {
    if (taken_ == content_.size() && failure_) {
      throw *failure_;
    }
    if (taken_ == content_.size() && is_endless_) {
      co_await sleep_for(std::chrono::hours(1));
    }
    const std::size_t count = std::min({buffer.size(), content_.size() - taken_, piece_});
    std::memcpy(buffer.data(), content_.data() + taken_, count);
    taken_ += count;
    co_return count;
  }

  /// How far it has been read.
  std::size_t taken() const { return taken_; }

 private:
  const std::string content_;
  const std::size_t piece_;
  std::optional<Error> failure_;
  bool is_endless_ = false;
  std::size_t taken_ = 0;
};

inline std::unique_ptr<MemoryStream> stream_of(std::string content, std::size_t piece = 65536) {
  return std::make_unique<MemoryStream>(std::move(content), piece);
}

/// All that is left of `stream`, read with buffers of `size` bytes.
inline Awaitable<std::string> read_all(net::ByteStream& stream, std::size_t size = 100'000) {
  std::vector<char> buffer(size);
  std::string content;
  for (;;) {
    const std::size_t count = co_await stream.read(asio::buffer(buffer));
    if (count == 0) {
      co_return content;
    }
    content.append(buffer.data(), count);
  }
}

/// `size` bytes that compress to about a half, the same each time.
inline std::string sample(std::size_t size) {
  std::mt19937 random(7);
  std::string content(size, '\0');
  for (char& c : content) {
    c = static_cast<char>('a' + (random() & 15));
  }
  return content;
}

}  // namespace freshet::oci::testing
