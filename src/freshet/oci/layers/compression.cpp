// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/layers/compression.hpp"

#include "freshet/oci/layers/block_line.hpp"

#include <algorithm>
#include <cstring>

namespace freshet::oci {
namespace {

class ParallelCompression final : public CompressingStream {
 public:
  ParallelCompression(
      std::unique_ptr<net::ByteStream> tar,
      Compression compression,
      asio::thread_pool& pool,
      std::optional<Digest> verified_diff_id,
      std::shared_ptr<BlockPool> blocks)
      : tar_(std::move(tar)),
        compression_(compression),
        diff_id_(std::move(verified_diff_id)),
        line_(std::make_shared<BlockLine>(compression, pool, std::move(blocks), !diff_id_)) {}

  ~ParallelCompression() override { line_->abandon(); }

  Awaitable<std::size_t> read(asio::mutable_buffer buffer) override {
    if (taken_ == output_.size()) {
      co_await next_output();
    }
    const std::size_t count = std::min(buffer.size(), output_.size() - taken_);
    std::memcpy(buffer.data(), output_.data() + taken_, count);
    taken_ += count;
    co_return count;
  }

  const CompressedLayer& result() const override {
    FRESHET_ASSERT(result_.has_value());
    return *result_;
  }

 private:
  /// Leaves `output_` empty at the end.
  Awaitable<void> next_output() {
    taken_ = 0;
    output_.clear();
    // One block in for one block out keeps the line full; more only until something is ready.
    while (!is_at_end_ && line_->has_room()) {
      co_await read_block();
      if (line_->is_front_ready()) {
        break;
      }
    }
    if (line_->size() == 0) {
      finish();
      co_return;
    }
    output_ = co_await line_->take();
    output_bytes_ += output_.size();
  }

  /// Reads a whole block, however small the pieces are in which it comes: the output must depend on
  /// the bytes only. An empty archive gives one empty block, for there is no gzip without a member.
  Awaitable<void> read_block() {
    BlockLine::Buffer block = line_->take_buffer();
    std::size_t size = 0;
    while (size < BlockPool::k_block_bytes) {
      const asio::mutable_buffer space(block.get() + size, BlockPool::k_block_bytes - size);
      const std::size_t count = co_await tar_->read(space);
      if (count == 0) {
        is_at_end_ = true;
        break;
      }
      size += count;
    }
    if (size > 0 || input_bytes_ == 0) {
      input_bytes_ += size;
      line_->add(std::move(block), size);
    }
  }

  void finish() {
    if (result_) {
      return;
    }
    const std::optional<Digest> computed = line_->finish_input_digest();
    const Descriptor blob{
        std::string(layer_media_type(compression_)), line_->finish_output_digest(), output_bytes_};
    result_.emplace(CompressedLayer{diff_id_ ? *diff_id_ : *computed, input_bytes_, blob});
  }

  const std::unique_ptr<net::ByteStream> tar_;
  const Compression compression_;
  const std::optional<Digest> diff_id_;
  const std::shared_ptr<BlockLine> line_;
  bool is_at_end_ = false;
  std::uint64_t input_bytes_ = 0;
  std::uint64_t output_bytes_ = 0;
  std::string output_;
  std::size_t taken_ = 0;  // of it
  std::optional<CompressedLayer> result_;
};

}  // namespace

std::string_view layer_media_type(Compression compression) {
  return compression == Compression::zstd ? "application/vnd.oci.image.layer.v1.tar+zstd"
                                          : "application/vnd.oci.image.layer.v1.tar+gzip";
}

std::unique_ptr<CompressingStream> compress(
    std::unique_ptr<net::ByteStream> tar,
    Compression compression,
    asio::thread_pool& pool,
    std::optional<Digest> verified_diff_id,
    std::shared_ptr<BlockPool> blocks) {
  if (!blocks) {
    blocks = std::make_shared<BlockPool>();
  }
  return std::make_unique<ParallelCompression>(
      std::move(tar), compression, pool, std::move(verified_diff_id), std::move(blocks));
}

}  // namespace freshet::oci
