// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/layers/produced_stream.hpp"

#include "freshet/base/testing/run.hpp"
#include "freshet/oci/layers/testing/memory_stream.hpp"
#include "freshet/oci/layers/verified_stream.hpp"

#include <gtest/gtest.h>

#include <atomic>

namespace freshet::oci {
namespace {

using freshet::testing::error_of;
using freshet::testing::run;
using testing::read_all;
using testing::sample;
using testing::stream_of;

constexpr std::string_view k_wrong =
    "corrupt_data\nerror: the disk gave layer "
    "'sha256:fb8e20fc2e4c3f248c60c39bd652f3c1347298bb977b8b4d5903b85055620603' for layer "
    "'sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881'\n";

TEST(ProducedStream, gives_what_the_producer_writes_in_order) {
  const std::string content = sample(5'000'000);
  const auto produce = [&](ProducerSink& sink) {
    sink.write(std::string_view(content).substr(0, 1));
    sink.write(std::string_view(content).substr(1));
  };
  EXPECT_EQ(run(read_all(*make_produced_stream(produce, Digest::of(content), "it"))), content);
}

TEST(ProducedStream, may_be_empty) {
  const auto produce = [](ProducerSink&) {};
  EXPECT_EQ(run(read_all(*make_produced_stream(produce, Digest::of(""), "it"))), "");
}

TEST(ProducedStream, throws_what_the_producer_throws_after_what_it_has_written) {
  const auto produce = [](ProducerSink& sink) {
    sink.write(sample(700'000));
    throw Error(ErrorCode::not_found, "a file is gone");
  };
  const auto stream = make_produced_stream(produce, Digest::of(""), "it");
  EXPECT_EQ(error_of([&] { run(read_all(*stream)); }), "not_found\nerror: a file is gone\n");
}

TEST(ProducedStream, throws_at_the_end_when_the_bytes_are_others) {
  const auto produce = [](ProducerSink& sink) { sink.write("ab"); };
  const auto stream = make_produced_stream(produce, Digest::of("x"), "the disk");
  EXPECT_EQ(error_of([&] { run(read_all(*stream)); }), k_wrong);
}

TEST(ProducedStream, ends_a_producer_that_has_no_reader_any_more) {
  for (int i = 0; i < 50; ++i) {
    std::atomic<bool> was_stopped = false;
    const auto produce = [&](ProducerSink& sink) {
      try {
        for (;;) {
          sink.write("endless");
        }
      } catch (const Cancelled&) {
        was_stopped = true;
        throw;
      }
    };
    make_produced_stream(produce, Digest::of(""), "it").reset();
    EXPECT_TRUE(was_stopped);
  }
}

TEST(VerifiedStream, gives_the_same_bytes_and_throws_at_the_end_when_they_are_others) {
  const std::string content = sample(300'000);
  EXPECT_EQ(run(read_all(*verified(stream_of(content), Digest::of(content), "the disk"))), content);
  EXPECT_EQ(
      error_of([&] { run(read_all(*verified(stream_of("ab"), Digest::of("x"), "the disk"))); }),
      k_wrong);
}

}  // namespace
}  // namespace freshet::oci
