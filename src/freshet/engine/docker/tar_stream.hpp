// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/byte_stream.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace freshet::engine {

/// One file of an archive that is yet to be written. Its content is opened when its turn comes, so
/// that there is never more than one open.
struct TarMember {
  std::string name;  // at most 100 bytes
  std::uint64_t size_bytes = 0;
  std::function<Awaitable<std::unique_ptr<net::ByteStream>>()> open;
};

/// A member whose content is there already.
TarMember make_tar_member(std::string name, std::string content);

/// A tar archive of plain files in their order, made while it is read, whose length is known
/// before.
///
/// A content that is not as long as its member says ends it with corrupt_data; what a content's
/// `read` throws at its own end, as those do that verify digests, is thrown before the member is
/// complete. Source: POSIX.1-1988, "ustar"; sizes from 8 GiB on in GNU's binary form.
class TarStream final : public net::ByteStream {
 public:
  explicit TarStream(std::vector<TarMember> members);

  std::uint64_t size_bytes() const { return size_bytes_; }
  Awaitable<std::size_t> read(asio::mutable_buffer buffer) override;

 private:
  Awaitable<std::size_t> read_content(asio::mutable_buffer buffer);
  [[noreturn]] void throw_wrong_size() const;

  std::vector<TarMember> members_;
  std::uint64_t size_bytes_ = 0;
  std::size_t next_ = 0;  // member to begin with
  std::string plain_;  // header or padding that is to be given next
  std::unique_ptr<net::ByteStream> content_;
  std::uint64_t content_left_ = 0;
  bool is_finished_ = false;
};

}  // namespace freshet::engine
