// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/copy/layer_upload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace freshet::oci {
namespace {

constexpr std::size_t k_skipped = 256UL * 1024;  // at a time

}  // namespace

LayerIsPast::LayerIsPast()
    : Error(ErrorCode::internal, "a layer that is past was asked for again") {}

class LayerUpload::View final : public net::ByteStream {
 public:
  View(LayerUpload& upload, std::uint64_t offset) : upload_(upload), offset_(offset) {}

  Awaitable<std::size_t> read(asio::mutable_buffer buffer) override {
    const std::size_t count = co_await upload_.read_at(offset_, buffer);
    offset_ += count;
    co_return count;
  }

 private:
  LayerUpload& upload_;
  std::uint64_t offset_;
};

LayerUpload::LayerUpload(
    std::unique_ptr<net::ByteStream> layer, std::optional<Descriptor> known, std::size_t kept)
    : layer_(std::move(layer)), known_(std::move(known)), kept_(kept, '\0') {}

bool LayerUpload::can_read_at(std::uint64_t offset) const {
  return offset <= read_ && read_ - offset <= kept_.size() && !is_broken_;
}

Awaitable<std::unique_ptr<net::ByteStream>> LayerUpload::open(Ctx, std::uint64_t offset) {
  co_await skip_to(offset);
  if (!can_read_at(offset)) {
    throw LayerIsPast();
  }
  co_return std::make_unique<View>(*this, offset);
}

Awaitable<void> LayerUpload::skip_to(std::uint64_t offset) {
  std::string skipped(std::min<std::uint64_t>(offset - std::min(offset, read_), k_skipped), '\0');
  while (read_ < offset && !is_at_end_ && !is_broken_) {
    const std::size_t most = std::min<std::uint64_t>(skipped.size(), offset - read_);
    co_await read_next(asio::buffer(skipped.data(), most));
  }
}

Awaitable<std::size_t> LayerUpload::read_at(std::uint64_t offset, asio::mutable_buffer buffer) {
  if (offset == read_) {
    co_return co_await read_next(buffer);
  }
  if (!can_read_at(offset)) {
    throw LayerIsPast();
  }
  const std::size_t place = offset % kept_.size();
  const std::size_t count =
      std::min<std::uint64_t>({buffer.size(), read_ - offset, kept_.size() - place});
  std::memcpy(buffer.data(), kept_.data() + place, count);
  co_return count;
}

Awaitable<std::size_t> LayerUpload::read_next(asio::mutable_buffer buffer) {
  if (is_at_end_) {
    co_return 0;
  }
  if (is_broken_) {
    throw LayerIsPast();
  }
  is_broken_ = true;  // should the read be cancelled, what it had is lost
  const std::size_t count = co_await layer_->read(buffer);
  is_at_end_ = count == 0;
  if (known_ && count > 0 && read_ + count == known_->size_bytes) {
    // The upload asks for no more. Whether the bytes are the right ones shows at the end alone.
    co_await expect_end();
  }
  is_broken_ = false;
  keep(static_cast<const char*>(buffer.data()), count);
  co_return count;
}

Awaitable<void> LayerUpload::expect_end() {
  char more = 0;
  const std::size_t count = co_await layer_->read(asio::buffer(&more, 1));
  if (count > 0) {
    throw Error(
        ErrorCode::corrupt_data,
        fmt::format(
            "layer '{}' has more than its {} bytes",
            known_->digest.to_string(),
            known_->size_bytes));
  }
  is_at_end_ = true;
}

void LayerUpload::keep(const char* bytes, std::size_t count) {
  const std::size_t skipped = count - std::min(count, kept_.size());
  read_ += skipped;
  bytes += skipped;
  count -= skipped;
  while (count > 0) {
    const std::size_t place = read_ % kept_.size();
    const std::size_t part = std::min(count, kept_.size() - place);
    std::memcpy(kept_.data() + place, bytes, part);
    read_ += part;
    bytes += part;
    count -= part;
  }
}

}  // namespace freshet::oci
