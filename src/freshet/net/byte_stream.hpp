// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"

#include <boost/asio/buffer.hpp>

#include <cstddef>

namespace freshet::net {

/// Bytes that come one after the other, read once. One reader at a time; destroying it ends what
/// feeds it.
class ByteStream {
 public:
  virtual ~ByteStream() = default;

  /// Waits for at least one byte and gives up to `buffer.size()`; 0 at the end of the content, and
  /// only there (a content that was cut short throws). Cancelling leaves the stream unusable.
  virtual Awaitable<std::size_t> read(asio::mutable_buffer buffer) = 0;
};

}  // namespace freshet::net
