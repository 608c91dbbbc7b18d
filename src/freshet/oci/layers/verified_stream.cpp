// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/layers/verified_stream.hpp"

#include "freshet/oci/digest.hpp"

#include <fmt/format.h>

#include <optional>

namespace freshet::oci {
namespace {

class VerifiedStream final : public net::ByteStream {
 public:
  VerifiedStream(std::unique_ptr<net::ByteStream> stream, Digest expected, std::string what)
      : stream_(std::move(stream)), expected_(std::move(expected)), what_(std::move(what)) {}

  Awaitable<std::size_t> read(asio::mutable_buffer buffer) override {
    const std::size_t count = co_await stream_->read(buffer);
    if (count > 0) {
      hash_->update({static_cast<const char*>(buffer.data()), count});
    } else if (hash_) {
      const Digest found = hash_->finish();
      if (found != expected_) {
        throw wrong_layer(what_, expected_, found);
      }
      hash_.reset();
    }
    co_return count;
  }

 private:
  const std::unique_ptr<net::ByteStream> stream_;
  const Digest expected_;
  const std::string what_;
  std::optional<DigestHasher> hash_ = DigestHasher();
};

}  // namespace

std::unique_ptr<net::ByteStream> verified(
    std::unique_ptr<net::ByteStream> stream, Digest expected, std::string what) {
  return std::make_unique<VerifiedStream>(std::move(stream), std::move(expected), std::move(what));
}

Error wrong_layer(std::string_view what, const Digest& expected, const Digest& found) {
  return Error(
      ErrorCode::corrupt_data,
      fmt::format(
          "{} gave layer '{}' for layer '{}'", what, found.to_string(), expected.to_string()));
}

}  // namespace freshet::oci
