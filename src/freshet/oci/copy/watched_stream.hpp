// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/error.hpp"
#include "freshet/net/byte_stream.hpp"

#include <memory>
#include <utility>

namespace freshet::oci {

/// The same bytes; notes that reading them failed. Being stopped is no failure.
class WatchedStream final : public net::ByteStream {
 public:
  /// `has_failed` must outlive it.
  WatchedStream(std::unique_ptr<net::ByteStream> stream, bool& has_failed)
      : stream_(std::move(stream)), has_failed_(has_failed) {}

  Awaitable<std::size_t> read(asio::mutable_buffer buffer) override {
    try {
      co_return co_await stream_->read(buffer);
    } catch (const Error&) {
      has_failed_ = true;
      throw;
    }
  }

 private:
  const std::unique_ptr<net::ByteStream> stream_;
  bool& has_failed_;
};

}  // namespace freshet::oci
