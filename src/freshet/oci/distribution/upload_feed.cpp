// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/distribution/upload_feed.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace freshet::oci {

void ContentWatch::pass(std::uint64_t position, std::string_view piece) {
  if (position + piece.size() <= size_) {
    return;
  }
  piece.remove_prefix(size_ - position);
  hasher_.update(piece);
  size_ += piece.size();
}

UploadFeed::UploadFeed(
    std::unique_ptr<net::ByteStream> from,
    std::uint64_t position,
    std::optional<std::uint64_t> size,
    ContentWatch& watch)
    : from_(std::move(from)), position_(position), size_(size), watch_(watch) {}

Awaitable<std::size_t> UploadFeed::read_source(asio::mutable_buffer buffer) {
  const std::size_t count = co_await from_->read(buffer);
  is_at_end_ = count == 0;
  const bool is_too_long = size_ && count > *size_ - position_;
  if (is_too_long || (is_at_end_ && size_ && position_ < *size_)) {
    throw Error(
        ErrorCode::corrupt_data,
        fmt::format(
            "the blob to upload has {} than the {} bytes that it should have",
            is_too_long ? "more" : "less",
            *size_));
  }
  if (!size_) {
    watch_.pass(position_, std::string_view(static_cast<const char*>(buffer.data()), count));
  }
  position_ += count;
  co_return count;
}

Awaitable<std::size_t> UploadFeed::read(asio::mutable_buffer buffer) {
  const bool is_piece_done = left_ == 0U;
  if (is_piece_done && (is_at_end_ || position_ != size_)) {
    co_return 0;
  }
  // Behind the last byte of all, the source is asked whether that was all, and whether it was
  // right.
  char surplus = 0;
  if (is_piece_done) {
    buffer = asio::buffer(&surplus, 1);
  } else if (left_) {
    buffer = asio::buffer(
        buffer, static_cast<std::size_t>(std::min<std::uint64_t>(*left_, buffer.size())));
  }
  try {
    const std::size_t count = co_await read_source(buffer);
    if (left_) {
      *left_ -= count;
    }
    co_return count;
  } catch (const boost::system::system_error& error) {
    // A request that broke cancels the read that it was waiting for: no failure of the source.
    failure_ = error.code() == asio::error::operation_aborted ? nullptr : std::current_exception();
    throw;
  } catch (...) {
    failure_ = std::current_exception();
    throw;
  }
}

Awaitable<std::string> UploadFeed::read_up_to(std::size_t length) {
  begin_piece(length);
  std::string bytes(length, '\0');
  std::size_t filled = 0;
  for (std::size_t count = 1; count > 0;) {
    count = co_await read(asio::buffer(bytes.data() + filled, length - filled));
    filled += count;
  }
  bytes.resize(filled);
  co_return bytes;
}

}  // namespace freshet::oci
