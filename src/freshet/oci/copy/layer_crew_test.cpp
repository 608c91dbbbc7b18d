// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/copy/layer_crew.hpp"

#include "freshet/net/testing/run.hpp"
#include "freshet/net/testing/scripted_http.hpp"
#include "freshet/oci/copy/layer_upload.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace freshet::oci {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

/// Ends when it is read no more, and says so.
class WatchedText final : public net::testing::TextStream {
 public:
  WatchedText(std::string text, bool& is_gone) : TextStream(std::move(text)), is_gone_(is_gone) {}
  ~WatchedText() override { is_gone_ = true; }

 private:
  bool& is_gone_;
};

Awaitable<std::string> read_all(net::ByteStream& stream) {
  std::string bytes;
  std::array<char, 64> piece{};
  for (;;) {
    const std::size_t count = co_await stream.read(asio::buffer(piece));
    if (count == 0) {
      co_return bytes;
    }
    bytes.append(piece.data(), count);
  }
}

/// Uploads that wait, once their layer is read, until they are told to end.
class Crew {
 public:
  explicit Crew(std::size_t members)
      : crew(members, [this](std::size_t index, std::unique_ptr<net::ByteStream> layer) {
          return upload(index, std::move(layer));
        }) {}

  Awaitable<void> upload(std::size_t index, std::unique_ptr<net::ByteStream> layer) {
    most = std::max(most, ++running);
    const Gone gone{*this, index};
    if (refused.contains(index)) {
      throw Error(ErrorCode::upstream_denied, "refused");
    }
    if (past.contains(index)) {
      throw LayerIsPast();
    }
    const std::string bytes = co_await read_all(*layer);
    events.push_back("read " + bytes);
    if (waits.contains(index)) {
      co_await ends.at(index).wait();
    }
    if (refused_late.contains(index)) {
      throw Error(ErrorCode::upstream_denied, "refused at the end");
    }
    if (past_late.contains(index)) {
      throw LayerIsPast();
    }
    events.push_back("sent " + bytes);
  }

  /// Visits so many layers, one after the other.
  Awaitable<void> visit(std::size_t count, ImageSource::Visitor visitor) {
    for (std::size_t index = 0; index < count; ++index) {
      bool is_gone = false;
      auto layer = std::make_unique<WatchedText>(std::to_string(index), is_gone);
      co_await visitor(index, std::move(layer));
      EXPECT_TRUE(is_gone);
      ++visited;
    }
    if (on_visited) {
      on_visited();
    }
  }

  bool run(std::size_t count) {
    return net::testing::run(crew.run(
        [this, count](ImageSource::Visitor visitor) { return visit(count, std::move(visitor)); }));
  }

  Awaitable<void> run_on_its_own(std::size_t count) {
    const LayerCrew::Visits visits = [this, count](ImageSource::Visitor visitor) {
      return visit(count, std::move(visitor));
    };
    co_await crew.run(visits);
  }

  std::string failure(std::size_t count) {
    try {
      run(count);
    } catch (const Error& error) {
      return error.message();
    }
    return "none";
  }

  struct Gone {
    Crew& crew;
    std::size_t index;
    ~Gone() {
      --crew.running;
      crew.events.push_back("over " + std::to_string(index));
    }
  };

  std::vector<std::string> events;
  std::set<std::size_t> waits;
  std::set<std::size_t> refused;  // before anything is read
  std::set<std::size_t> refused_late;  // when all is read
  std::set<std::size_t> past;
  std::set<std::size_t> past_late;
  std::array<WakeUp, 8> ends;
  std::function<void()> on_visited;
  int running = 0;
  int most = 0;
  std::size_t visited = 0;
  LayerCrew crew;
};

TEST(LayerCrew, goes_on_with_the_next_layer_while_the_rest_of_one_is_sent) {
  Crew crew(2);
  crew.waits = {0};
  crew.on_visited = [&] { crew.ends[0].notify(); };
  EXPECT_TRUE(crew.run(3));
  EXPECT_THAT(
      crew.events,
      ElementsAre(
          "read 0",
          "read 1",
          "sent 1",
          "over 1",
          "read 2",
          "sent 2",
          "over 2",
          "sent 0",
          "over 0"));
}

TEST(LayerCrew, has_no_more_uploads_at_once_than_members) {
  Crew crew(2);
  crew.waits = {0, 1};
  asio::io_context io;
  std::exception_ptr failure;
  asio::co_spawn(io, crew.run_on_its_own(5), [&](std::exception_ptr thrown) { failure = thrown; });
  io.poll();
  EXPECT_EQ(crew.running, 2);
  EXPECT_EQ(crew.visited, 2U);
  crew.ends[1].notify();
  crew.ends[0].notify();
  io.run();
  EXPECT_FALSE(failure);
  EXPECT_EQ(crew.most, 2);
  EXPECT_EQ(crew.visited, 5U);
}

TEST(LayerCrew, stops_everything_at_a_refusal_and_throws_it) {
  Crew crew(3);
  crew.waits = {0};  // for ever
  crew.refused = {1};
  EXPECT_EQ(crew.failure(5), "refused");
  EXPECT_THAT(crew.events, ElementsAre("read 0", "over 1", "over 0"));
  EXPECT_EQ(crew.visited, 1U);
}

TEST(LayerCrew, throws_a_refusal_that_comes_after_the_layer_was_read) {
  Crew crew(2);
  crew.waits = {0, 1};
  crew.refused_late = {0};
  crew.ends[0].notify();
  EXPECT_EQ(crew.failure(8), "refused at the end");
  EXPECT_THAT(crew.events, Not(Contains("sent 1")));
  EXPECT_EQ(crew.running, 0);
}

TEST(LayerCrew, lets_the_other_uploads_end_when_a_layer_has_to_be_read_again) {
  for (const bool is_late : {false, true}) {
    Crew crew(2);
    crew.waits = {0};
    (is_late ? crew.past_late : crew.past) = {1};
    const auto visits = [&](ImageSource::Visitor visitor) -> Awaitable<void> {
      std::exception_ptr failure;
      try {
        co_await crew.visit(2, std::move(visitor));
      } catch (...) {
        failure = std::current_exception();
      }
      crew.ends[0].notify();
      if (failure) {
        std::rethrow_exception(failure);
      }
    };
    EXPECT_FALSE(net::testing::run(crew.crew.run(visits)));
    EXPECT_THAT(crew.events, Contains("sent 0"));
    EXPECT_THAT(crew.events, Not(Contains("sent 1")));
  }
}

TEST(LayerCrew, gives_a_failure_to_read_to_the_source_which_may_have_another_way) {
  Crew crew(2);
  const auto visits = [&](ImageSource::Visitor visitor) -> Awaitable<void> {
    std::string message;
    try {
      auto broken = std::make_unique<net::testing::TextStream>(
          "half",
          4,
          net::TransportError(
              net::TransportProblem::closed, ErrorCode::unavailable, "the file is gone"));
      co_await visitor(0, std::move(broken));
    } catch (const Error& error) {
      message = error.message();
    }
    EXPECT_EQ(message, "the file is gone");
    co_await visitor(0, std::make_unique<net::testing::TextStream>("whole"));
  };
  EXPECT_TRUE(net::testing::run(crew.crew.run(visits)));
  EXPECT_THAT(crew.events, ElementsAre("over 0", "read whole", "sent whole", "over 0"));
}

TEST(LayerCrew, stops_the_uploads_when_the_source_fails) {
  Crew crew(2);
  crew.waits = {0};  // for ever
  crew.on_visited = [] { throw Error(ErrorCode::corrupt_data, "the export is cut short"); };
  EXPECT_EQ(crew.failure(1), "the export is cut short");
  EXPECT_THAT(crew.events, ElementsAre("read 0", "over 0"));
}

TEST(LayerCrew, ends_at_a_stop_with_nothing_left_behind) {
  Crew crew(2);
  crew.waits = {0, 1};  // for ever; the third layer waits for a member
  asio::io_context io;
  asio::cancellation_signal stop;
  std::exception_ptr failure;
  asio::co_spawn(
      io,
      crew.run_on_its_own(3),
      asio::bind_cancellation_slot(
          stop.slot(), [&](std::exception_ptr thrown) { failure = thrown; }));
  io.poll();
  EXPECT_EQ(crew.running, 2);
  stop.emit(asio::cancellation_type::terminal);
  io.run();
  EXPECT_TRUE(failure);
  EXPECT_EQ(crew.running, 0);
  EXPECT_EQ(crew.visited, 2U);
}

}  // namespace
}  // namespace freshet::oci
