// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/byte_stream.hpp"
#include "freshet/oci/descriptor.hpp"

#include <boost/asio/thread_pool.hpp>

#include <memory>
#include <optional>

namespace freshet::oci {

class BlockPool;

enum class Compression { gzip, zstd };

/// The media type of a layer that is compressed so: OCI's.
std::string_view layer_media_type(Compression compression);

/// What a layer turned out to be once it was read to its end.
struct CompressedLayer {
  Digest diff_id;  // of the bytes that went in
  std::uint64_t size_bytes = 0;  // that went in
  Descriptor blob;  // of the bytes that came out
};

/// Compresses `tar` while it is read, on `pool`, block by block: reading, both digests and the
/// blocks' compression overlap, at most a few blocks are in memory. The same input gives the same
/// output, whatever the number of threads.
///
/// gzip output is a sequence of members (RFC 1952 section 2.2), zstd output a sequence of frames
/// (RFC 8878 section 3.1), one a block.
///
/// It may be destroyed at any time: blocks under way end by themselves and touch nothing of others.
/// `read` throws what `tar` throws.
class CompressingStream : public net::ByteStream {
 public:
  /// Complete once `read` has given 0.
  virtual const CompressedLayer& result() const = 0;
};

/// `verified_diff_id` is the digest of `tar` where `tar` itself makes sure of it (throws at its end
/// when it differs), as the streams of an `ImageSource` do: it is not computed once more then.
/// Compressions that share `blocks` have little more in memory together than one alone; null: this
/// one shares nothing.
std::unique_ptr<CompressingStream> compress(
    std::unique_ptr<net::ByteStream> tar,
    Compression compression,
    asio::thread_pool& pool,
    std::optional<Digest> verified_diff_id = std::nullopt,
    std::shared_ptr<BlockPool> blocks = nullptr);

}  // namespace freshet::oci
