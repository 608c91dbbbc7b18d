// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/layers/decompression.hpp"

#include "freshet/base/testing/run.hpp"
#include "freshet/oci/layers/compression.hpp"
#include "freshet/oci/layers/testing/memory_stream.hpp"

#include <gtest/gtest.h>

namespace freshet::oci {
namespace {

using freshet::testing::error_of;
using freshet::testing::run;
using testing::read_all;
using testing::sample;
using testing::stream_of;

class Decompression : public ::testing::Test {
 protected:
  std::string compressed(const std::string& content, Compression compression) {
    return run(read_all(*compress(stream_of(content), compression, pool)));
  }
  std::string decompressed(const std::string& bytes, std::size_t piece = 65536) {
    const auto stream = decompress(stream_of(bytes, piece), pool);
    return run(read_all(*stream));
  }

  asio::thread_pool pool{2};
};

TEST_F(Decompression, undoes_gzip_and_zstd_of_many_parts_in_whatever_pieces_they_come) {
  const std::string content = sample(2'500'000);
  for (const Compression compression : {Compression::gzip, Compression::zstd}) {
    const std::string bytes = compressed(content, compression);
    EXPECT_EQ(decompressed(bytes), content);
    EXPECT_EQ(decompressed(bytes, 997), content);
    EXPECT_EQ(decompressed(compressed("", compression), 1), "");
  }
}

TEST_F(Decompression, passes_on_what_is_not_compressed) {
  EXPECT_EQ(decompressed(sample(300'000)), sample(300'000));
  EXPECT_EQ(decompressed("ab", 1), "ab");
  EXPECT_EQ(decompressed(""), "");
}

TEST_F(Decompression, tells_content_that_is_cut_short) {
  for (const Compression compression : {Compression::gzip, Compression::zstd}) {
    const std::string bytes = compressed(sample(2'500'000), compression);
    for (const std::size_t size : {std::size_t(5), bytes.size() / 2, bytes.size() - 1}) {
      EXPECT_EQ(
          error_of([&] { decompressed(bytes.substr(0, size)); }),
          "corrupt_data\nerror: the compressed layer is cut short\n");
    }
  }
}

TEST_F(Decompression, tells_damaged_content) {
  std::string gzip = compressed(sample(100'000), Compression::gzip);
  gzip[gzip.size() / 2] = static_cast<char>(gzip[gzip.size() / 2] ^ 0x55);
  EXPECT_EQ(
      error_of([&] { decompressed(gzip); }), "corrupt_data\nerror: the layer is not valid gzip\n");
  std::string zstd = compressed(sample(100'000), Compression::zstd);
  zstd[zstd.size() / 2] = static_cast<char>(zstd[zstd.size() / 2] ^ 0x55);
  EXPECT_EQ(
      error_of([&] { decompressed(zstd); }), "corrupt_data\nerror: the layer is not valid zstd\n");
}

}  // namespace
}  // namespace freshet::oci
