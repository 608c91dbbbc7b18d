// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/layers/decompression.hpp"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <vector>

namespace freshet::oci {
namespace {

constexpr std::string_view k_gzip_magic = "\x1f\x8b";
constexpr std::string_view k_zstd_magic = "\x28\xb5\x2f\xfd";
constexpr int k_gzip_window = 15 + 16;  // the largest, with gzip's header and no other
constexpr int k_max_zstd_window = 27;  // 128 MiB; the tool's own limit
constexpr std::size_t k_input_bytes = 256 * 1024;
constexpr std::size_t k_output_bytes = 1024 * 1024;

Error corrupt(std::string_view format) {
  return Error(ErrorCode::corrupt_data, "the layer is not valid " + std::string(format));
}

class Gunzip final : public Decompressor {
 public:
  Gunzip() {
    if (inflateInit2(&state_, k_gzip_window) != Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~Gunzip() override { inflateEnd(&state_); }
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;

  Step step(std::string_view input, std::span<char> output) override {
    if (is_complete_ && !input.empty()) {  // the next member
      inflateReset(&state_);
      is_complete_ = false;
    }
    state_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    state_.avail_in = static_cast<uInt>(std::min(input.size(), k_output_bytes));
    state_.next_out = reinterpret_cast<Bytef*>(output.data());
    state_.avail_out = static_cast<uInt>(std::min(output.size(), k_output_bytes));
    const uInt in = state_.avail_in;
    const uInt out = state_.avail_out;
    const int outcome = inflate(&state_, Z_NO_FLUSH);
    if (outcome != Z_OK && outcome != Z_STREAM_END && outcome != Z_BUF_ERROR) {
      throw corrupt("gzip");
    }
    is_complete_ = outcome == Z_STREAM_END;
    return Step{in - state_.avail_in, out - state_.avail_out};
  }

  bool is_complete() const override { return is_complete_; }

 private:
  z_stream state_ = {};
  bool is_complete_ = false;
};

class Unzstd final : public Decompressor {
 public:
  Unzstd() : context_(ZSTD_createDCtx()) {
    if (!context_) {
      throw std::bad_alloc();
    }
    ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, k_max_zstd_window);
  }

  Step step(std::string_view input, std::span<char> output) override {
    ZSTD_inBuffer in = {input.data(), input.size(), 0};
    ZSTD_outBuffer out = {output.data(), output.size(), 0};
    const std::size_t outcome = ZSTD_decompressStream(context_.get(), &out, &in);
    if (ZSTD_isError(outcome) != 0) {
      throw corrupt("zstd");
    }
    if (in.pos > 0 || out.pos > 0) {
      is_complete_ = outcome == 0;
    }
    return Step{in.pos, out.pos};
  }

  bool is_complete() const override { return is_complete_; }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  std::unique_ptr<ZSTD_DCtx, Free> context_;
  bool is_complete_ = false;
};

class PassThrough final : public Decompressor {
 public:
  Step step(std::string_view input, std::span<char> output) override {
    const std::size_t count = std::min(input.size(), output.size());
    std::memcpy(output.data(), input.data(), count);
    return Step{count, count};
  }
  bool is_complete() const override { return true; }
};

class DecompressedStream final : public net::ByteStream {
 public:
  DecompressedStream(std::unique_ptr<net::ByteStream> stream, asio::thread_pool& pool)
      : stream_(std::move(stream)), pool_(pool), input_(k_input_bytes), output_(k_output_bytes) {}

  Awaitable<std::size_t> read(asio::mutable_buffer buffer) override {
    while (output_taken_ == output_size_) {
      if (input_taken_ == input_size_ && !is_at_end_) {
        co_await fill();
      }
      const bool did_something = co_await step();
      if (!did_something && is_at_end_) {
        co_return 0;
      }
    }
    const std::size_t count = std::min(buffer.size(), output_size_ - output_taken_);
    std::memcpy(buffer.data(), output_.data() + output_taken_, count);
    output_taken_ += count;
    co_return count;
  }

 private:
  /// Reads some input; the first time enough to tell the format.
  Awaitable<void> fill() {
    input_taken_ = 0;
    input_size_ = 0;
    const std::size_t enough = decompressor_ ? 1 : Decompressor::k_magic_bytes;
    while (input_size_ < enough && !is_at_end_) {
      const std::size_t count = co_await stream_->read(asio::buffer(input_) + input_size_);
      is_at_end_ = count == 0;
      input_size_ += count;
    }
    if (!decompressor_) {
      decompressor_ = Decompressor::for_content(std::string_view(input_.data(), input_size_));
    }
  }

  /// Whether there was anything to do.
  Awaitable<bool> step() {
    const std::string_view input(input_.data() + input_taken_, input_size_ - input_taken_);
    const auto work = [this, input] { return decompressor_->step(input, output_); };
    const Decompressor::Step done = co_await offload(pool_, work);
    input_taken_ += done.taken;
    output_taken_ = 0;
    output_size_ = done.given;
    const bool did_something = done.taken > 0 || done.given > 0;
    if (!did_something && is_at_end_ && !decompressor_->is_complete()) {
      throw Error(ErrorCode::corrupt_data, "the compressed layer is cut short");
    }
    co_return did_something;
  }

  const std::unique_ptr<net::ByteStream> stream_;
  asio::thread_pool& pool_;
  std::unique_ptr<Decompressor> decompressor_;
  std::vector<char> input_;
  std::size_t input_size_ = 0;
  std::size_t input_taken_ = 0;
  bool is_at_end_ = false;
  std::vector<char> output_;
  std::size_t output_size_ = 0;
  std::size_t output_taken_ = 0;
};

}  // namespace

std::unique_ptr<Decompressor> Decompressor::for_content(std::string_view start) {
  if (start.starts_with(k_gzip_magic)) {
    return std::make_unique<Gunzip>();
  }
  if (start.starts_with(k_zstd_magic)) {
    return std::make_unique<Unzstd>();
  }
  return std::make_unique<PassThrough>();
}

std::unique_ptr<net::ByteStream> decompress(
    std::unique_ptr<net::ByteStream> stream, asio::thread_pool& pool) {
  return std::make_unique<DecompressedStream>(std::move(stream), pool);
}

}  // namespace freshet::oci
