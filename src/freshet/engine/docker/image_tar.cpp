// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/image_tar.hpp"

#include <boost/asio/buffer.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace freshet::engine {
namespace {

constexpr std::size_t k_block_bytes = 512;
constexpr std::size_t k_buffer_bytes = 128 * 1024;
constexpr std::size_t k_max_extension_bytes = 1024 * 1024;
constexpr std::size_t k_max_name_bytes = 4096;
constexpr std::size_t k_max_members = 100'000;  // an image has some hundreds
constexpr std::uint64_t k_max_member_bytes = std::uint64_t(1) << 50;

Error corrupt(std::string_view why) {
  return Error(ErrorCode::corrupt_data, fmt::format("the tar archive is damaged: {}", why));
}

/// Source: POSIX pax, "ustar Interchange Format".
using Header = std::array<char, k_block_bytes>;

std::string_view field(const Header& header, std::size_t offset, std::size_t size) {
  const std::string_view text(header.data() + offset, size);
  return text.substr(0, text.find('\0'));
}

std::optional<std::uint64_t> parse_octal(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  std::uint64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
  const std::string_view rest(end, text.data() + text.size());
  const bool is_clean = rest.find_first_not_of(' ') == std::string_view::npos;
  if (text.empty()) {
    return 0;
  }
  return code == std::errc() && is_clean ? std::optional(value) : std::nullopt;
}

/// Octal digits, or GNU's base 256 for large numbers.
std::uint64_t number(const Header& header, std::size_t offset, std::size_t size) {
  if ((header[offset] & 0x80) == 0) {
    const std::optional<std::uint64_t> value = parse_octal(field(header, offset, size));
    if (!value) {
      throw corrupt("a number in a header is none");
    }
    return *value;
  }
  std::uint64_t value = static_cast<unsigned char>(header[offset]) & 0x7f;
  for (std::size_t i = 1; i < size; ++i) {
    if (value > k_max_member_bytes) {
      throw corrupt("a member is too large");
    }
    value = value << 8 | static_cast<unsigned char>(header[offset + i]);
  }
  return value;
}

void check_sum(const Header& header) {
  constexpr std::size_t k_offset = 148;
  constexpr std::size_t k_size = 8;
  std::uint64_t sum = k_size * ' ';
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (i < k_offset || i >= k_offset + k_size) {
      sum += static_cast<unsigned char>(header[i]);
    }
  }
  if (sum != number(header, k_offset, k_size)) {
    throw corrupt("the checksum of a header is wrong");
  }
}

std::string name_in(const Header& header) {
  std::string name(field(header, 0, 100));
  // POSIX's own magic ends with NUL; GNU's does not, and its archives have other fields there.
  const bool is_posix = std::string_view(header.data() + 257, 6) == std::string_view("ustar\0", 6);
  const std::string_view prefix = field(header, 345, 155);
  if (is_posix && !prefix.empty()) {
    name = std::string(prefix) + "/" + name;
  }
  return name;
}

std::uint64_t padding_of(std::uint64_t size) {
  return (k_block_bytes - size % k_block_bytes) % k_block_bytes;
}

bool is_extension(char type) {
  return type == 'x' || type == 'g' || type == 'L' || type == 'K';
}

/// One `LENGTH KEYWORD=VALUE\n` off the front of `records`.
std::pair<std::string_view, std::string_view> take_record(std::string_view& records) {
  std::size_t length = 0;
  const auto [digits_end, code] =
      std::from_chars(records.data(), records.data() + records.size(), length);
  const std::size_t digits = static_cast<std::size_t>(digits_end - records.data());
  if (code != std::errc() || length < digits + 3 || length > records.size() ||
      records[digits] != ' ' || records[length - 1] != '\n') {
    throw corrupt("an extension header is malformed");
  }
  const std::string_view pair = records.substr(digits + 1, length - digits - 2);
  records.remove_prefix(length);
  const std::size_t equals = pair.find('=');
  if (equals == std::string_view::npos) {
    throw corrupt("an extension header is malformed");
  }
  return {pair.substr(0, equals), pair.substr(equals + 1)};
}

class MemberStream final : public net::ByteStream {
 public:
  explicit MemberStream(TarReader& reader) : reader_(reader) {}
  Awaitable<std::size_t> read(asio::mutable_buffer buffer) override { return reader_.read(buffer); }

 private:
  TarReader& reader_;
};

}  // namespace

TarReader::TarReader(std::unique_ptr<net::ByteStream> archive)
    : archive_(std::move(archive)), buffer_(k_buffer_bytes) {}

/// What is buffered first; big reads then go past the buffer.
Awaitable<std::size_t> TarReader::read_raw(asio::mutable_buffer buffer) {
  if (begin_ == end_ && buffer.size() >= buffer_.size() / 2) {
    co_return co_await archive_->read(buffer);
  }
  if (begin_ == end_) {
    begin_ = 0;
    end_ = 0;
    end_ = co_await archive_->read(asio::buffer(buffer_));
  }
  const std::size_t count = std::min(buffer.size(), end_ - begin_);
  std::memcpy(buffer.data(), buffer_.data() + begin_, count);
  begin_ += count;
  co_return count;
}

Awaitable<void> TarReader::read_block(char* block) {
  for (std::size_t size = 0; size < k_block_bytes;) {
    const asio::mutable_buffer space(block + size, k_block_bytes - size);
    const std::size_t count = co_await read_raw(space);
    if (count == 0) {
      throw corrupt("it is cut short");
    }
    size += count;
  }
}

Awaitable<std::size_t> TarReader::read(asio::mutable_buffer buffer) {
  if (content_left_ == 0 || buffer.size() == 0) {
    co_return 0;
  }
  const std::size_t most =
      static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), content_left_));
  const std::size_t count = co_await read_raw(asio::buffer(buffer, most));
  if (count == 0) {
    throw corrupt("it is cut short");
  }
  content_left_ -= count;
  co_return count;
}

Awaitable<void> TarReader::skip_rest() {
  content_left_ += padding_left_;
  padding_left_ = 0;
  std::vector<char> scrap(content_left_ > k_buffer_bytes ? k_buffer_bytes : k_block_bytes);
  while (content_left_ > 0) {
    co_await read(asio::buffer(scrap));
  }
}

Awaitable<std::string> TarReader::read_all(std::size_t max_bytes) {
  if (content_left_ > max_bytes) {
    throw corrupt(
        fmt::format("a member has {} bytes where the limit is {} bytes", content_left_, max_bytes));
  }
  std::string content(static_cast<std::size_t>(content_left_), '\0');
  for (std::size_t size = 0; size < content.size();) {
    size += co_await read(asio::buffer(content) + size);
  }
  co_return content;
}

Awaitable<void> TarReader::take_extension(char type, Overrides& overrides) {
  const std::string content = co_await read_all(k_max_extension_bytes);
  if (type == 'L') {
    overrides.name = content.substr(0, content.find('\0'));
  }
  if (type != 'x') {
    co_return;  // long link names and global headers say nothing that is wanted here
  }
  std::string_view records = content;
  while (!records.empty()) {
    const auto [key, value] = take_record(records);
    if (key == "path") {
      overrides.name = std::string(value);
    } else if (key == "size") {
      std::uint64_t size = 0;
      const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), size);
      if (code != std::errc() || end != value.data() + value.size()) {
        throw corrupt("an extension header is malformed");
      }
      overrides.size_bytes = size;
    } else if (key.starts_with("GNU.sparse")) {
      throw corrupt("it has a sparse member");
    }
  }
}

Awaitable<std::optional<TarMember>> TarReader::next() {
  Overrides overrides;
  for (;;) {
    co_await skip_rest();
    Header header;
    co_await read_block(header.data());
    if (std::all_of(header.begin(), header.end(), [](char c) { return c == '\0'; })) {
      co_return std::nullopt;
    }
    if (++members_ > k_max_members) {
      throw corrupt(fmt::format("it has more than {} members", k_max_members));
    }
    check_sum(header);
    const char type = header[156];
    content_left_ = number(header, 124, 12);
    if (!is_extension(type) && overrides.size_bytes) {
      content_left_ = *overrides.size_bytes;
    }
    if (content_left_ > k_max_member_bytes) {
      throw corrupt("a member is too large");
    }
    padding_left_ = padding_of(content_left_);
    if (is_extension(type)) {
      co_await take_extension(type, overrides);
      continue;
    }
    TarMember member;
    member.name = overrides.name ? *overrides.name : name_in(header);
    if (member.name.starts_with("./")) {
      member.name.erase(0, 2);
    }
    if (member.name.size() > k_max_name_bytes) {
      throw corrupt("a name is too long");
    }
    member.size_bytes = content_left_;
    member.is_file = type == '0' || type == '\0' || type == '7';
    co_return member;
  }
}

std::unique_ptr<net::ByteStream> content_of(TarReader& reader) {
  return std::make_unique<MemberStream>(reader);
}

}  // namespace freshet::engine
