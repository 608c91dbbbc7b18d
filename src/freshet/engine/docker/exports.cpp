// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/client_impl.hpp"

#include <boost/asio/buffer.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace freshet::engine {
namespace {

/// The body of an answer as it arrives.
class AnswerBody final : public net::ByteStream {
 public:
  AnswerBody(Ctx ctx, Transport& transport, AnswerStream stream, std::string what)
      : ctx_(ctx),
        transport_(transport),
        stream_(std::move(stream)),
        what_("waiting for the Docker engine's " + what) {}

  Awaitable<std::size_t> read(asio::mutable_buffer buffer) override {
    if (taken_ == piece_.size() && stream_.connection) {
      piece_ = co_await with_deadline(ctx_, what_, transport_.read_some(stream_));
      taken_ = 0;
      if (piece_.empty()) {
        transport_.give_back(std::move(stream_));
      }
    }
    const std::size_t count = std::min(buffer.size(), piece_.size() - taken_);
    std::memcpy(buffer.data(), piece_.data() + taken_, count);
    taken_ += count;
    co_return count;
  }

 private:
  const Ctx ctx_;
  Transport& transport_;
  AnswerStream stream_;
  const std::string what_;
  std::string piece_;
  std::size_t taken_ = 0;  // of it
};

}  // namespace

Awaitable<std::unique_ptr<net::ByteStream>> DockerClient::export_image(Ctx ctx, std::string image) {
  const std::string subject = fmt::format("image '{}'", image);
  EngineRequest request = make_request(
      "GET", fmt::format("/images/{}/get", encode_path(image)), "export " + subject, subject);
  EngineAnswer answer = co_await impl_->transport.open(ctx, std::move(request));
  co_return std::make_unique<AnswerBody>(
      ctx, impl_->transport, std::move(answer.stream), "export of " + subject);
}

}  // namespace freshet::engine
