// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/tar_stream.hpp"

#include "freshet/engine/testing/failure.hpp"
#include "freshet/engine/testing/run.hpp"
#include "freshet/engine/testing/tar_maker.hpp"

#include <gtest/gtest.h>

#include <array>

namespace freshet::engine {
namespace {

using testing::failure_of;
using testing::run;
using testing::TarMaker;

/// `pieces` one by one; then the failure, where there is one.
class Pieces final : public net::ByteStream {
 public:
  explicit Pieces(std::vector<std::string> pieces, std::optional<Error> failure = std::nullopt)
      : pieces_(std::move(pieces)), failure_(std::move(failure)) {}

  Awaitable<std::size_t> read(asio::mutable_buffer buffer) override {
    if (next_ == pieces_.size()) {
      if (failure_) {
        throw *failure_;
      }
      co_return 0;
    }
    const std::string& piece = pieces_[next_++];
    FRESHET_ASSERT(piece.size() <= buffer.size());
    piece.copy(static_cast<char*>(buffer.data()), piece.size());
    co_return piece.size();
  }

 private:
  std::vector<std::string> pieces_;
  std::optional<Error> failure_;
  std::size_t next_ = 0;
};

Awaitable<std::unique_ptr<net::ByteStream>> open_pieces(
    std::vector<std::string> pieces, std::optional<Error> failure) {
  co_return std::make_unique<Pieces>(std::move(pieces), std::move(failure));
}

TarMember member(
    std::string name,
    std::uint64_t size,
    std::vector<std::string> pieces,
    std::optional<Error> failure = std::nullopt) {
  return {std::move(name), size, [pieces, failure] { return open_pieces(pieces, failure); }};
}

Awaitable<std::string> read_all(net::ByteStream& stream) {
  std::string out;
  std::array<char, 700> buffer{};
  for (;;) {
    const std::size_t count = co_await stream.read(asio::buffer(buffer));
    if (count == 0) {
      co_return out;
    }
    out.append(buffer.data(), count);
  }
}

std::string archive_of(std::vector<TarMember> members) {
  asio::io_context io;
  TarStream stream(std::move(members));
  std::string bytes = run(io, read_all(stream));
  EXPECT_EQ(bytes.size(), stream.size_bytes());
  return bytes;
}

TEST(TarStream, is_the_archive_of_its_members_and_knows_its_length) {
  const std::string block(512, 'x');
  EXPECT_EQ(
      archive_of(
          {make_tar_member("manifest.json", "[]"),
           member("full", 512, {block}),
           member("layer.tar", 9, {"four", " more"}),
           make_tar_member("empty", "")}),
      TarMaker()
          .add("manifest.json", "[]")
          .add("full", block)
          .add("layer.tar", "four more")
          .add("empty", "")
          .finish());
}

TEST(TarStream, tells_sizes_beyond_octal_digits_in_binary) {
  asio::io_context io;
  constexpr std::uint64_t k_size = (1ULL << 33) + 5;
  TarStream stream({member("large", k_size, {})});
  std::array<char, 512> header{};
  run(io, stream.read(asio::buffer(header)));
  const std::string_view field(header.data() + 124, 12);
  EXPECT_EQ(field, std::string_view("\x80\0\0\0\0\0\0\x02\0\0\0\x05", 12));
}

TEST(TarStream, does_not_take_contents_of_another_length) {
  EXPECT_EQ(
      failure_of([] { archive_of({member("short", 5, {"four"})}); }),
      "corrupt_data: 'short' is not 5 bytes long as was said");
  EXPECT_EQ(
      failure_of([] { archive_of({member("long", 3, {"four"})}); }),
      "corrupt_data: 'long' is not 3 bytes long as was said");
}

TEST(TarStream, hears_what_a_content_says_at_its_very_end) {
  EXPECT_EQ(
      failure_of([] {
        archive_of({member("layer", 4, {"four"}, Error(ErrorCode::corrupt_data, "not it"))});
      }),
      "corrupt_data: not it");
}

}  // namespace
}  // namespace freshet::engine
