// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/layers/compression.hpp"

#include "freshet/base/testing/run.hpp"
#include "freshet/oci/layers/block_pool.hpp"
#include "freshet/oci/layers/testing/memory_stream.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <latch>

namespace freshet::oci {
namespace {

using freshet::testing::error_of;
using freshet::testing::run;
using testing::MemoryStream;
using testing::read_all;
using testing::sample;
using testing::stream_of;

constexpr std::size_t k_mib = 1024 * 1024;

struct Outcome {
  std::string bytes;
  CompressedLayer layer;
};

Outcome compressed(
    std::unique_ptr<net::ByteStream> tar,
    Compression compression,
    std::size_t threads = 2,
    std::size_t buffer = 100'000) {
  asio::thread_pool pool(threads);
  const auto stream = compress(std::move(tar), compression, pool);
  std::string bytes = run(read_all(*stream, buffer));
  return Outcome{std::move(bytes), stream->result()};
}

struct Members {
  std::string content;
  std::vector<std::string> heads;  // the first ten bytes of each
};

Members gunzip(std::string bytes) {
  Members members;
  while (!bytes.empty()) {
    members.heads.push_back(bytes.substr(0, 10));
    z_stream state = {};
    EXPECT_EQ(inflateInit2(&state, 15 + 16), Z_OK);
    std::string out(2 * k_mib, '\0');
    state.next_in = reinterpret_cast<Bytef*>(bytes.data());
    state.avail_in = static_cast<uInt>(bytes.size());
    state.next_out = reinterpret_cast<Bytef*>(out.data());
    state.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(inflate(&state, Z_FINISH), Z_STREAM_END);
    members.content += out.substr(0, state.total_out);
    bytes.erase(0, state.total_in);
    inflateEnd(&state);
  }
  return members;
}

std::string unzstd(const std::string& bytes, std::size_t size) {
  std::string out(size + 1, '\0');
  const std::size_t found = ZSTD_decompress(out.data(), out.size(), bytes.data(), bytes.size());
  EXPECT_EQ(ZSTD_isError(found), 0U);
  out.resize(found);
  return out;
}

TEST(Compression, gives_back_what_went_in_with_both_digests_whatever_its_size) {
  for (const std::size_t size :
       {std::size_t(0), std::size_t(1), k_mib - 1, k_mib, k_mib + 1, 5 * k_mib + 3}) {
    const std::string content = sample(size);
    const Outcome gzip = compressed(stream_of(content), Compression::gzip);
    EXPECT_EQ(gunzip(gzip.bytes).content, content);
    EXPECT_EQ(gzip.layer.diff_id, Digest::of(content));
    EXPECT_EQ(gzip.layer.size_bytes, size);
    EXPECT_EQ(gzip.layer.blob.digest, Digest::of(gzip.bytes));
    EXPECT_EQ(gzip.layer.blob.size_bytes, gzip.bytes.size());
    EXPECT_EQ(gzip.layer.blob.media_type, "application/vnd.oci.image.layer.v1.tar+gzip");

    const Outcome zstd = compressed(stream_of(content), Compression::zstd);
    EXPECT_EQ(unzstd(zstd.bytes, size), content);
    EXPECT_EQ(zstd.layer.blob.digest, Digest::of(zstd.bytes));
    EXPECT_EQ(zstd.layer.blob.media_type, "application/vnd.oci.image.layer.v1.tar+zstd");
  }
}

TEST(Compression, makes_one_member_of_each_block_without_name_and_time) {
  const Members members =
      gunzip(compressed(stream_of(sample(2 * k_mib + 1)), Compression::gzip).bytes);
  ASSERT_EQ(members.heads.size(), 3U);
  for (const std::string& head : members.heads) {
    EXPECT_EQ(head.substr(0, 8), std::string("\x1f\x8b\x08\0\0\0\0\0", 8));
  }
}

TEST(Compression, depends_on_the_bytes_only) {
  const std::string content = sample(3 * k_mib + 77);
  for (const Compression compression : {Compression::gzip, Compression::zstd}) {
    const std::string expected = compressed(stream_of(content), compression, 1).bytes;
    for (const std::size_t threads : {2, 5}) {
      EXPECT_EQ(compressed(stream_of(content), compression, threads).bytes, expected);
    }
    EXPECT_EQ(compressed(stream_of(content, 999), compression).bytes, expected);
    EXPECT_EQ(compressed(stream_of(content), compression, 2, 17).bytes, expected);
  }
}

TEST(Compression, hands_on_what_the_input_throws) {
  asio::thread_pool pool(2);
  Error failure(ErrorCode::unavailable, "the disk is gone");
  const auto stream = compress(
      MemoryStream::failing(sample(3 * k_mib), std::move(failure)), Compression::gzip, pool);
  EXPECT_EQ(error_of([&] { run(read_all(*stream)); }), "unavailable\nerror: the disk is gone\n");
}

TEST(Compression, takes_the_digest_that_its_input_makes_sure_of) {
  asio::thread_pool pool(1);
  const Digest verified = Digest::of("not the content");
  const auto stream = compress(stream_of("content"), Compression::gzip, pool, verified);
  run(read_all(*stream));
  EXPECT_EQ(stream->result().diff_id, verified);
}

Awaitable<void> read_once(net::ByteStream& stream) {
  char byte = 0;
  co_await stream.read(asio::buffer(&byte, 1));
}

TEST(Compression, reads_no_further_ahead_than_its_blocks_allow) {
  const std::string content(24 * k_mib, 'a');
  for (const std::size_t threads : {1, 2, 16}) {
    asio::thread_pool pool(threads);
    auto tar = stream_of(content, k_mib);
    const MemoryStream& input = *tar;
    const auto stream = compress(std::move(tar), Compression::gzip, pool);
    run(read_once(*stream));
    EXPECT_LE(input.taken(), std::min<std::size_t>(2 * threads + 2, 8) * k_mib);
  }
}

TEST(Compression, has_few_more_blocks_under_way_when_several_share_them) {
  asio::thread_pool pool(2);
  std::latch begin(1);
  for (int i = 0; i < 2; ++i) {
    asio::post(pool, [&] { begin.wait(); });  // no block gets done until then
  }
  const auto blocks = std::make_shared<BlockPool>();
  asio::io_context io;
  std::vector<std::unique_ptr<CompressingStream>> streams;
  std::vector<std::uint64_t> taken;
  for (int i = 0; i < 3; ++i) {
    auto tar = stream_of(std::string(24 * k_mib, 'a'), k_mib);
    const MemoryStream& input = *tar;
    streams.push_back(compress(std::move(tar), Compression::gzip, pool, std::nullopt, blocks));
    asio::co_spawn(io, read_once(*streams.back()), asio::detached);
    io.poll();
    taken.push_back(input.taken() / k_mib);
  }
  EXPECT_THAT(taken, ::testing::ElementsAre(6, 2, 2));
  begin.count_down();
  io.run();
}

TEST(Compression, may_be_given_up_at_any_time) {
  asio::thread_pool pool(2);
  const std::string content(3 * k_mib, 'a');
  for (int i = 0; i < 50; ++i) {
    const auto stream = compress(stream_of(content), Compression::gzip, pool);
    if (i % 2 == 0) {
      run(read_once(*stream));
    }
  }
  pool.join();
}

TEST(Compression, ends_when_it_is_cancelled_while_its_input_is_silent) {
  asio::thread_pool pool(2);
  asio::io_context io;
  asio::cancellation_signal signal;
  const auto stream = compress(MemoryStream::endless("a"), Compression::gzip, pool);
  std::exception_ptr thrown;
  const auto finish = [&](std::exception_ptr failure) { thrown = failure; };
  asio::co_spawn(io, read_once(*stream), asio::bind_cancellation_slot(signal.slot(), finish));
  asio::post(io, [&] { signal.emit(asio::cancellation_type::terminal); });
  io.run();
  EXPECT_THROW(std::rethrow_exception(thrown), boost::system::system_error);
}

}  // namespace
}  // namespace freshet::oci
