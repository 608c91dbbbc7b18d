// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/byte_stream.hpp"
#include "freshet/oci/descriptor.hpp"

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace freshet::oci {

/// Digest and size of content of which parts may pass more than once.
class ContentWatch {
 public:
  /// `piece` starts at byte `position`; what passed before is not counted again.
  void pass(std::uint64_t position, std::string_view piece);
  std::uint64_t size() const { return size_; }
  /// Called once, when all has passed.
  Digest finish() { return hasher_.finish(); }

 private:
  DigestHasher hasher_;
  std::uint64_t size_ = 0;
};

/// The rest of a blob from some byte on, handed to requests piece by piece. It tells failures of
/// the source from those of the request that reads it, and ends that come too early or too late.
class UploadFeed final : public net::ByteStream {
 public:
  /// `size`: of the whole blob, when known; then `watch` is not used.
  UploadFeed(
      std::unique_ptr<net::ByteStream> from,
      std::uint64_t position,
      std::optional<std::uint64_t> size,
      ContentWatch& watch);

  /// The next `length` bytes are one request's; nullopt: all that is left.
  void begin_piece(std::optional<std::uint64_t> length) { left_ = length; }
  /// 0 at the end of the piece; at that of the whole blob only after the source has confirmed that
  /// this was all and, where it checks a digest, the right bytes.
  Awaitable<std::size_t> read(asio::mutable_buffer buffer) override;
  /// Up to `length` bytes at once; fewer only at the end.
  Awaitable<std::string> read_up_to(std::size_t length);

  std::uint64_t position() const { return position_; }
  bool is_at_end() const { return is_at_end_; }
  /// What the source threw; null when it did not.
  std::exception_ptr failure() const { return failure_; }

 private:
  Awaitable<std::size_t> read_source(asio::mutable_buffer buffer);

  std::unique_ptr<net::ByteStream> from_;
  std::uint64_t position_;
  std::optional<std::uint64_t> size_;
  ContentWatch& watch_;
  std::optional<std::uint64_t> left_;
  bool is_at_end_ = false;
  std::exception_ptr failure_;
};

}  // namespace freshet::oci
