// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/steps/watched_source.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

#include <array>

namespace freshet::pipeline {
namespace {

class BrokenStream final : public net::ByteStream {
 public:
  Awaitable<std::size_t> read(asio::mutable_buffer) override {
    throw Error(ErrorCode::corrupt_data, "broken");
    co_return 0;
  }
};

class EmptyStream final : public net::ByteStream {
 public:
  Awaitable<std::size_t> read(asio::mutable_buffer) override { co_return 0; }
};

/// One layer, given `times` at most; `breaks`: it cannot be read but for the last time of several.
class OneLayer final : public oci::ImageSource {
 public:
  explicit OneLayer(bool breaks, int times = 1) : breaks_(breaks), times_(times) {}

  const std::vector<oci::Digest>& diff_ids() const override { return diff_ids_; }
  Awaitable<std::string> config(Ctx) override { co_return "{}"; }
  Awaitable<void> visit_layers(Ctx, std::set<std::size_t>, Visitor visit) override {
    for (int time = 1; time < times_; ++time) {
      co_await try_broken(visit);
    }
    std::unique_ptr<net::ByteStream> stream;
    if (breaks_ && times_ == 1) {
      stream = std::make_unique<BrokenStream>();
    } else {
      stream = std::make_unique<EmptyStream>();
    }
    co_await visit(0, std::move(stream));
  }
  std::string_view name() const override { return "a test"; }

 private:
  static Awaitable<void> try_broken(const Visitor& visit) {
    try {
      co_await visit(0, std::make_unique<BrokenStream>());
    } catch (const Error&) {
      co_return;
    }
  }

  bool breaks_;
  int times_;
  std::vector<oci::Digest> diff_ids_{oci::Digest::of("")};
};

/// Reads the layer and throws what `refuse` asks for, as a registry's refusal would be.
bool fails(WatchedSource& source, bool refuse) {
  oci::ImageSource::Visitor visit =
      [refuse](std::size_t, std::unique_ptr<net::ByteStream> tar) -> Awaitable<void> {
    std::array<char, 16> bytes{};
    const asio::mutable_buffer buffer(bytes.data(), bytes.size());
    co_await tar->read(buffer);
    if (refuse) {
      throw Error(ErrorCode::upstream_denied, "refused");
    }
  };
  asio::io_context io;
  std::set<std::size_t> wanted{0};
  auto done = asio::co_spawn(
      io, source.visit_layers(Ctx{}, std::move(wanted), std::move(visit)), asio::use_future);
  io.run();
  try {
    done.get();
    return false;
  } catch (const Error&) {
    return true;
  }
}

TEST(WatchedSource, blames_itself_for_what_cannot_be_read) {
  WatchedSource source(std::make_unique<OneLayer>(true));
  EXPECT_TRUE(fails(source, false));
  EXPECT_TRUE(source.has_failed());
}

TEST(WatchedSource, does_not_blame_itself_for_a_refusal) {
  WatchedSource source(std::make_unique<OneLayer>(false));
  EXPECT_TRUE(fails(source, true));
  EXPECT_FALSE(source.has_failed());
}

TEST(WatchedSource, does_not_blame_itself_for_a_refusal_of_what_another_source_gave) {
  WatchedSource source(std::make_unique<OneLayer>(true, 2));
  EXPECT_TRUE(fails(source, true));
  EXPECT_FALSE(source.has_failed());
}

TEST(WatchedSource, is_all_right_when_all_is) {
  WatchedSource source(std::make_unique<OneLayer>(false));
  EXPECT_FALSE(fails(source, false));
  EXPECT_FALSE(source.has_failed());
}

}  // namespace
}  // namespace freshet::pipeline
