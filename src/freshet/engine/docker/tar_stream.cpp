// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/tar_stream.hpp"

#include "freshet/base/error.hpp"
#include "freshet/net/memory_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace freshet::engine {
namespace {

constexpr std::size_t k_block_bytes = 512;
constexpr std::size_t k_end_bytes = 2 * k_block_bytes;
constexpr std::size_t k_max_name_bytes = 100;
constexpr std::uint64_t k_octal_limit = 1ULL << 33;  // 11 octal digits

std::uint64_t padding_of(std::uint64_t size) {
  return (k_block_bytes - size % k_block_bytes) % k_block_bytes;
}

std::string size_field(std::uint64_t size) {
  if (size < k_octal_limit) {
    return fmt::format("{:011o}", size);
  }
  std::string field(12, '\0');
  field[0] = static_cast<char>(0x80);
  for (std::size_t i = field.size() - 1; size > 0; --i, size >>= 8) {
    field[i] = static_cast<char>(size & 0xff);
  }
  return field;
}

std::string header_of(const TarMember& member) {
  constexpr std::string_view k_magic(
      "ustar\0"
      "00",
      8);
  std::string header(k_block_bytes, '\0');
  const auto put = [&](std::size_t offset, std::string_view text) {
    header.replace(offset, text.size(), text);
  };
  put(0, member.name);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, size_field(member.size_bytes));
  put(136, "00000000000");
  put(148, "        ");  // the checksum counts itself as blanks
  header[156] = '0';
  put(257, k_magic);
  unsigned sum = 0;
  for (const char c : header) {
    sum += static_cast<unsigned char>(c);
  }
  put(148, fmt::format("{:06o}", sum));
  header[154] = '\0';
  return header;
}

Awaitable<std::unique_ptr<net::ByteStream>> open_text(std::string text) {
  co_return std::make_unique<net::MemoryStream>(std::move(text));
}

}  // namespace

TarMember make_tar_member(std::string name, std::string content) {
  const std::uint64_t size = content.size();
  return {std::move(name), size, [content = std::move(content)] { return open_text(content); }};
}

TarStream::TarStream(std::vector<TarMember> members) : members_(std::move(members)) {
  size_bytes_ = k_end_bytes;
  for (const TarMember& member : members_) {
    FRESHET_ASSERT(member.name.size() <= k_max_name_bytes);
    size_bytes_ += k_block_bytes + member.size_bytes + padding_of(member.size_bytes);
  }
}

Awaitable<std::size_t> TarStream::read(asio::mutable_buffer buffer) {
  while (plain_.empty()) {
    if (content_) {
      const std::size_t count = co_await read_content(buffer);
      if (count > 0) {
        co_return count;
      }
      content_.reset();
      plain_.assign(padding_of(members_[next_++].size_bytes), '\0');
    } else if (next_ < members_.size()) {
      plain_ = header_of(members_[next_]);
      content_left_ = members_[next_].size_bytes;
      content_ = co_await members_[next_].open();
    } else if (!is_finished_) {
      is_finished_ = true;
      plain_.assign(k_end_bytes, '\0');
    } else {
      co_return 0;
    }
  }
  const std::size_t count = std::min(buffer.size(), plain_.size());
  std::memcpy(buffer.data(), plain_.data(), count);
  plain_.erase(0, count);
  co_return count;
}

Awaitable<std::size_t> TarStream::read_content(asio::mutable_buffer buffer) {
  const std::size_t count = co_await content_->read(buffer);
  if (count > content_left_ || (count == 0 && content_left_ > 0)) {
    throw_wrong_size();
  }
  content_left_ -= count;
  co_return count;
}

void TarStream::throw_wrong_size() const {
  throw Error(
      ErrorCode::corrupt_data,
      fmt::format(
          "'{}' is not {} bytes long as was said",
          members_[next_].name,
          members_[next_].size_bytes));
}

}  // namespace freshet::engine
