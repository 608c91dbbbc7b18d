// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/byte_stream.hpp"

#include <boost/asio/thread_pool.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace freshet::oci {

/// Undoes gzip (of any number of members) or zstd (of any number of frames), told from the first
/// bytes; what is neither is passed through. Its memory is bounded whatever the input says.
class Decompressor {
 public:
  virtual ~Decompressor() = default;

  struct Step {
    std::size_t taken = 0;  // of the input
    std::size_t given = 0;  // into the output
  };
  /// Does as much as fits. Throws corrupt_data.
  virtual Step step(std::string_view input, std::span<char> output) = 0;
  /// Whether the content may end here.
  virtual bool is_complete() const = 0;

  static constexpr std::size_t k_magic_bytes = 4;
  /// `start` are the first `k_magic_bytes`, or all there is.
  static std::unique_ptr<Decompressor> for_content(std::string_view start);
};

/// `stream` decompressed on `pool` while it is read. Throws corrupt_data when it is cut short.
/// Cancelling `read` does not interrupt a step that is under way, of some milliseconds.
std::unique_ptr<net::ByteStream> decompress(
    std::unique_ptr<net::ByteStream> stream, asio::thread_pool& pool);

}  // namespace freshet::oci
