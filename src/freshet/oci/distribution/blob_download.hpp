// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/oci/descriptor.hpp"
#include "freshet/oci/distribution/connection.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace freshet::oci {

/// The size of a blob in bytes by HEAD; nullopt when the repository does not have it, or when the
/// registry does not tell. Tried again as the options say, when it is to be patient.
Awaitable<std::optional<std::uint64_t>> find_blob_size(
    std::shared_ptr<RegistryConnection> connection,
    Ctx ctx,
    std::string repository,
    Digest digest,
    std::string scope,
    bool is_patient = true);

/// The bytes of one blob, from wherever the registry has them. Where the connection breaks, it asks
/// for the rest; progress makes the patience new. Never gives more than the blob's size;
/// throws corrupt_data instead of telling the end when digest (reading from 0) or size do not fit.
/// The `http` of the connection must outlive it.
class BlobDownload final : public net::ByteStream {
 public:
  BlobDownload(
      std::shared_ptr<RegistryConnection> connection,
      Ctx ctx,
      std::string repository,
      Descriptor blob,
      std::uint64_t offset);

  /// Gets to the first byte: throws what keeps it from being had.
  Awaitable<void> connect();
  Awaitable<std::size_t> read(asio::mutable_buffer buffer) override;

 private:
  Awaitable<std::optional<Trouble>> try_connect();
  Awaitable<std::optional<Trouble>> skip(std::uint64_t count);
  std::optional<std::uint64_t> require_sound_start(const net::HttpResponse& head) const;
  void take(std::string_view piece);
  void require_sound_end();
  [[noreturn]] void corrupt(std::string problem) const;
  Trouble cut_short() const;

  std::shared_ptr<RegistryConnection> connection_;
  Ctx ctx_;
  std::string repository_;
  Descriptor blob_;
  std::uint64_t position_;
  std::optional<DigestHasher> hasher_;  // when read from 0
  Attempts attempts_;
  std::unique_ptr<net::HttpStream> body_;
};

}  // namespace freshet::oci
