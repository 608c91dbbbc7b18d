// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/byte_stream.hpp"
#include "freshet/oci/descriptor.hpp"

#include <cstdint>
#include <memory>
#include <optional>

namespace freshet::oci {

/// One content that can be read as often as an upload needs to: each `open` gives the same bytes.
class BlobSource {
 public:
  virtual ~BlobSource() = default;

  /// What it is, when that is known before it was read; nullopt for what is made while it is read.
  virtual std::optional<Descriptor> known() const = 0;
  /// From byte `offset` on.
  virtual Awaitable<std::unique_ptr<net::ByteStream>> open(Ctx ctx, std::uint64_t offset) = 0;
};

/// Bytes in memory, e.g. an image's configuration.
class MemoryBlob final : public BlobSource {
 public:
  MemoryBlob(std::string media_type, std::string bytes);

  std::optional<Descriptor> known() const override { return descriptor_; }
  Awaitable<std::unique_ptr<net::ByteStream>> open(Ctx ctx, std::uint64_t offset) override;

 private:
  Descriptor descriptor_;
  std::string bytes_;
};

}  // namespace freshet::oci
