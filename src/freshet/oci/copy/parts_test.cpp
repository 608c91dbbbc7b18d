// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/testing/run.hpp"
#include "freshet/net/testing/scripted_http.hpp"
#include "freshet/oci/copy/image_manifest.hpp"
#include "freshet/oci/copy/layer_upload.hpp"
#include "freshet/oci/copy/parallel.hpp"
#include "freshet/oci/copy/turns.hpp"

#include <gtest/gtest.h>

namespace freshet::oci {
namespace {

using net::testing::run;

struct Workers {
  int running = 0;
  int most = 0;
  int begun = 0;
  int failing = -1;

  Awaitable<void> work(std::size_t index) {
    ++begun;
    most = std::max(most, ++running);
    for (int i = 0; i < 3; ++i) {
      co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    }
    --running;
    if (static_cast<int>(index) == failing) {
      throw Error(ErrorCode::conflict, "number " + std::to_string(index));
    }
  }
};

TEST(ForEachAtOnce, does_everything_with_no_more_than_so_many_at_once) {
  Workers workers;
  run(for_each_at_once(10, 4, [&](std::size_t index) { return workers.work(index); }));
  EXPECT_EQ(workers.begun, 10);
  EXPECT_EQ(workers.most, 4);
}

TEST(ForEachAtOnce, ends_at_the_first_failure_and_throws_that) {
  Workers workers;
  workers.failing = 1;
  try {
    run(for_each_at_once(100, 4, [&](std::size_t index) { return workers.work(index); }));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "number 1");
  }
  EXPECT_LT(workers.begun, 10);
}

Awaitable<void> work_in_turn(Turns& turns, std::string name, Workers& workers) {
  const auto turn = co_await turns.take(std::move(name));
  co_await workers.work(0);
}

TEST(Turns, let_one_at_a_time_through_each_gate) {
  Turns turns(1);
  Workers same;
  Workers other;
  run(for_each_at_once(5, 5, [&](std::size_t index) {
    return index < 4 ? work_in_turn(turns, "same", same) : work_in_turn(turns, "other", other);
  }));
  EXPECT_EQ(same.begun, 4);
  EXPECT_EQ(same.most, 1);
  EXPECT_EQ(other.begun, 1);
}

TEST(Turns, pass_over_those_that_gave_up_waiting) {
  using namespace asio::experimental::awaitable_operators;
  Turns turns(1);
  Workers workers;
  workers.failing = 0;
  // The first fails while the others wait: they are cancelled, and the gate is free again.
  EXPECT_THROW(
      run(for_each_at_once(
          3, 3, [&](std::size_t) { return work_in_turn(turns, "gate", workers); })),
      Error);
  workers.failing = -1;
  run(work_in_turn(turns, "gate", workers));
  EXPECT_EQ(workers.begun, 2);
}

TEST(ImageManifest, has_dockers_types_and_always_the_same_bytes) {
  const Descriptor config{"", Digest::of("{}"), 2};
  const Descriptor layer{"application/vnd.oci.image.layer.v1.tar+gzip", Digest::of("x"), 1};
  const Manifest manifest = make_image_manifest(config, {layer});
  EXPECT_EQ(
      manifest.bytes,
      R"({"schemaVersion":2,)"
      R"("mediaType":"application/vnd.docker.distribution.manifest.v2+json",)"
      R"("config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":2,)"
      R"("digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},)"
      R"("layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":1,)"
      R"("digest":"sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}]})");
  EXPECT_EQ(manifest.descriptor.digest, Digest::of(manifest.bytes));
}

std::unique_ptr<net::ByteStream> layer_of(std::string text) {
  return std::make_unique<net::testing::TextStream>(std::move(text), 7);
}

Awaitable<std::string> read_some(LayerUpload& upload, std::uint64_t offset, std::size_t most) {
  const auto stream = co_await upload.open(Ctx(), offset);
  std::string bytes;
  char buffer[5];
  while (bytes.size() < most) {
    const std::size_t count = co_await stream->read(asio::buffer(buffer));
    if (count == 0) {
      break;
    }
    bytes.append(buffer, count);
  }
  co_return bytes;
}

std::string failure_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.message();
  }
  return "none";
}

TEST(LayerUpload, goes_on_from_a_little_before_where_it_was) {
  const std::string text = "abcdefghijklmnopqrstuvwxyz0123456789";
  LayerUpload upload(layer_of(text), std::nullopt, 10);
  EXPECT_EQ(run(read_some(upload, 0, 20)), text.substr(0, 20));
  EXPECT_EQ(run(read_some(upload, 13, 100)), text.substr(13));
  EXPECT_EQ(run(read_some(upload, 30, 100)), text.substr(30));
}

TEST(LayerUpload, cannot_go_back_further_than_what_it_kept) {
  LayerUpload upload(layer_of(std::string(100, 'x')), std::nullopt, 10);
  run(read_some(upload, 0, 20));
  EXPECT_THROW(run(read_some(upload, 0, 1)), LayerIsPast);
  EXPECT_THROW(run(read_some(upload, 9, 1)), LayerIsPast);
  EXPECT_THROW(run(read_some(upload, 101, 1)), LayerIsPast);
}

TEST(LayerUpload, reads_a_layer_of_known_size_to_its_end_where_it_shows_whether_it_is_right) {
  const auto read_known = [](std::uint64_t size_bytes) {
    const std::string text = "abcdefghij";
    const net::TransportError end(
        net::TransportProblem::closed, ErrorCode::corrupt_data, "the end is wrong");
    auto layer = std::make_unique<net::testing::TextStream>(text, 7, end);
    LayerUpload upload(std::move(layer), Descriptor{"", Digest::of(text), size_bytes});
    return run(read_some(upload, 0, size_bytes));
  };
  EXPECT_EQ(failure_of([&] { read_known(10); }), "the end is wrong");
  EXPECT_EQ(
      failure_of([&] { read_known(5); }),
      "layer '" + Digest::of("abcdefghij").to_string() + "' has more than its 5 bytes");
}

TEST(LayerUpload, skips_what_an_earlier_process_has_sent) {
  const std::string text = "abcdefghijklmnopqrstuvwxyz0123456789";
  LayerUpload upload(layer_of(text), std::nullopt, 10);
  EXPECT_EQ(run(read_some(upload, 20, 5)), text.substr(20, 5));
  EXPECT_EQ(run(read_some(upload, 16, 100)), text.substr(16));
}

}  // namespace
}  // namespace freshet::oci
