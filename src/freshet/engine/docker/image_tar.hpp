// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/byte_stream.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::engine {

struct TarMember {
  std::string name;  // without `./` in front
  std::uint64_t size_bytes = 0;
  bool is_file = false;  // a regular one
};

/// Reads a tar archive member by member while it arrives: ustar, with the long names and sizes of
/// pax and GNU. Nothing but a header of bounded size is kept in memory.
///
/// Throws corrupt_data for what is no archive, is cut short or goes beyond the limits.
class TarReader {
 public:
  explicit TarReader(std::unique_ptr<net::ByteStream> archive);

  /// The next member; what is left of the one before is skipped. nullopt at the end.
  Awaitable<std::optional<TarMember>> next();
  /// Content of the present member; 0 at its end.
  Awaitable<std::size_t> read(asio::mutable_buffer buffer);
  /// All of it. Throws corrupt_data when it is over `max_bytes`.
  Awaitable<std::string> read_all(std::size_t max_bytes);

 private:
  /// What extension headers said about the next member.
  struct Overrides {
    std::optional<std::string> name;
    std::optional<std::uint64_t> size_bytes;
  };

  Awaitable<std::size_t> read_raw(asio::mutable_buffer buffer);
  Awaitable<void> read_block(char* block);
  Awaitable<void> skip_rest();
  Awaitable<void> take_extension(char type, Overrides& overrides);

  std::unique_ptr<net::ByteStream> archive_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // of what is unread in it
  std::size_t end_ = 0;
  std::uint64_t content_left_ = 0;
  std::uint64_t padding_left_ = 0;
  std::size_t members_ = 0;
};

/// The present member of `reader`, which must outlive it and stay on this member meanwhile.
std::unique_ptr<net::ByteStream> content_of(TarReader& reader);

}  // namespace freshet::engine
