// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/byte_stream.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace freshet::net {

/// Bytes that are there already.
class MemoryStream final : public ByteStream {
 public:
  explicit MemoryStream(std::string bytes) : bytes_(std::move(bytes)) {}

  Awaitable<std::size_t> read(asio::mutable_buffer buffer) override {
    const std::size_t count = std::min(buffer.size(), bytes_.size() - at_);
    std::memcpy(buffer.data(), bytes_.data() + at_, count);
    at_ += count;
    co_return count;
  }

 private:
  const std::string bytes_;
  std::size_t at_ = 0;
};

}  // namespace freshet::net
