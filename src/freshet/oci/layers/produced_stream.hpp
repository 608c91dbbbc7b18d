// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/byte_stream.hpp"
#include "freshet/oci/digest.hpp"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace freshet::oci {

/// Where a producer puts its bytes; used by its thread only.
class ProducerSink {
 public:
  virtual ~ProducerSink() = default;
  /// Room for the bytes that follow, never empty. Waits for the reader when it is far behind;
  /// throws Cancelled when there is no reader any more.
  virtual std::span<char> space() = 0;
  /// The first `size` bytes of `space()` are filled.
  virtual void commit(std::size_t size) = 0;

  void write(std::string_view bytes);
};

/// The bytes that blocking code on a thread of its own produces, a little ahead of the reader: for
/// work that waits for disks and must hold up neither the event loop nor the pool.
///
/// The bytes are hashed on that thread: at their end, `read` throws corrupt_data when they are not
/// those of `expected`, with a message that begins with `what`. What `produce` throws is thrown by
/// `read`. Destroying the stream waits until `produce` has come to its next `space()`.
std::unique_ptr<net::ByteStream> make_produced_stream(
    std::function<void(ProducerSink&)> produce, Digest expected, std::string what);

}  // namespace freshet::oci
