// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/distribution/blobs.hpp"

#include <memory>
#include <optional>
#include <string>

namespace freshet::oci {

/// Thrown by `LayerUpload::open` when the upload has to go on from where the layer cannot be read
/// again: it has to be visited once more.
class LayerIsPast : public Error {
 public:
  LayerIsPast();
};

/// A layer as an upload reads it while it comes: once, and for an upload that goes on after a break
/// the last few MiB again. What the upload of an earlier process has sent already is skipped.
class LayerUpload final : public BlobSource {
 public:
  static constexpr std::size_t k_kept_bytes = 4UL * 1024 * 1024;

  /// `known` is what the layer is, where that is known before it was read; `kept` says how much of
  /// it can be read again.
  explicit LayerUpload(
      std::unique_ptr<net::ByteStream> layer,
      std::optional<Descriptor> known = std::nullopt,
      std::size_t kept = k_kept_bytes);

  std::optional<Descriptor> known() const override { return known_; }
  /// One stream at a time; this must outlive it.
  Awaitable<std::unique_ptr<net::ByteStream>> open(Ctx ctx, std::uint64_t offset) override;

 private:
  class View;

  Awaitable<void> skip_to(std::uint64_t offset);
  Awaitable<std::size_t> read_at(std::uint64_t offset, asio::mutable_buffer buffer);
  Awaitable<std::size_t> read_next(asio::mutable_buffer buffer);
  Awaitable<void> expect_end();
  void keep(const char* bytes, std::size_t count);
  bool can_read_at(std::uint64_t offset) const;

  std::unique_ptr<net::ByteStream> layer_;
  const std::optional<Descriptor> known_;
  std::string kept_;  // a ring: byte n of the layer is at n % size
  std::uint64_t read_ = 0;  // bytes of the layer so far
  bool is_at_end_ = false;
  bool is_broken_ = false;  // a read was interrupted or failed
};

}  // namespace freshet::oci
