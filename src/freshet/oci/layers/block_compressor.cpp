// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/layers/block_compressor.hpp"

#include <libdeflate.h>
#include <zstd.h>

#include <new>

namespace freshet::oci {
namespace {

// Of files as they are in layers, gzip 2 makes 5 % more than `gzip -6` and zstd 3 makes 5 % less,
// at many times its speed; gzip 3 would save 1.3 % and take 12 % longer.
constexpr int k_gzip_level = 2;
constexpr int k_zstd_level = 3;

/// Where the output grows, so that only its true size is kept.
class Scratch {
 public:
  char* of_size(std::size_t size) {
    if (size > size_) {
      bytes_ = std::make_unique_for_overwrite<char[]>(size);
      size_ = size;
    }
    return bytes_.get();
  }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
};

class GzipCompressor final : public BlockCompressor {
 public:
  GzipCompressor() : compressor_(libdeflate_alloc_compressor(k_gzip_level)) {
    if (!compressor_) {
      throw std::bad_alloc();
    }
  }

  std::string compress(std::string_view block) override {
    // The library's header has no name and the time 0.
    const std::size_t bound = libdeflate_gzip_compress_bound(compressor_.get(), block.size());
    char* out = scratch_.of_size(bound);
    const std::size_t size =
        libdeflate_gzip_compress(compressor_.get(), block.data(), block.size(), out, bound);
    FRESHET_ASSERT(size != 0);
    return std::string(out, size);
  }

 private:
  struct Free {
    void operator()(libdeflate_compressor* compressor) const {
      libdeflate_free_compressor(compressor);
    }
  };
  std::unique_ptr<libdeflate_compressor, Free> compressor_;
  Scratch scratch_;
};

class ZstdCompressor final : public BlockCompressor {
 public:
  ZstdCompressor() : context_(ZSTD_createCCtx()) {
    if (!context_) {
      throw std::bad_alloc();
    }
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, k_zstd_level);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
  }

  std::string compress(std::string_view block) override {
    const std::size_t bound = ZSTD_compressBound(block.size());
    char* out = scratch_.of_size(bound);
    const std::size_t size = ZSTD_compress2(context_.get(), out, bound, block.data(), block.size());
    FRESHET_ASSERT(ZSTD_isError(size) == 0);
    return std::string(out, size);
  }

 private:
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> context_;
  Scratch scratch_;
};

}  // namespace

std::unique_ptr<BlockCompressor> make_block_compressor(Compression compression) {
  if (compression == Compression::zstd) {
    return std::make_unique<ZstdCompressor>();
  }
  return std::make_unique<GzipCompressor>();
}

}  // namespace freshet::oci
