// SPDX-License-Identifier: Apache-2.0
#include "freshet/pipeline/run/single_flight.hpp"

#include "freshet/base/error.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace freshet::pipeline {
namespace {

/// Work that stands still until the gate opens.
struct Gated {
  asio::io_context io;
  SingleFlight flights;
  asio::steady_timer gate{io, asio::steady_timer::time_point::max()};
  int begun = 0;
  std::optional<Error> failure;
  std::vector<std::string> outcomes;  // in the order of their coming
  asio::cancellation_signal stop;  // of the first one

  Awaitable<std::string> work() {
    const int number = ++begun;
    co_await gate.async_wait(asio::as_tuple(asio::use_awaitable));
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
      throw boost::system::system_error(asio::error::operation_aborted);
    }
    if (failure) {
      throw *failure;
    }
    co_return "result " + std::to_string(number);
  }

  void ask(const std::string& key, bool is_first = false) {
    const auto note = [this](std::exception_ptr thrown, std::string value) {
      try {
        if (thrown) {
          std::rethrow_exception(thrown);
        }
        outcomes.push_back(value);
      } catch (const Error& error) {
        outcomes.push_back(error.message());
      } catch (const boost::system::system_error&) {
        outcomes.emplace_back("cancelled");
      }
    };
    SingleFlight::Work mine = [this] { return work(); };
    auto slot = is_first ? stop.slot() : asio::cancellation_slot();
    asio::co_spawn(
        io, flights.join(key, std::move(mine)), asio::bind_cancellation_slot(slot, note));
  }

  void let_stand() {
    io.restart();
    io.poll();
  }

  void open() {
    gate.expires_at(asio::steady_timer::time_point::min());
    io.restart();
    io.run();
  }
};

using Outcomes = std::vector<std::string>;

TEST(SingleFlight, does_once_what_several_ask_for_at_the_same_time) {
  Gated gated;
  gated.ask("a");
  gated.ask("a");
  gated.ask("b");
  gated.ask("a");
  gated.let_stand();
  EXPECT_EQ(gated.begun, 2);
  EXPECT_TRUE(gated.flights.is_under_way("a"));
  gated.open();
  std::ranges::sort(gated.outcomes);
  EXPECT_EQ(gated.outcomes, (Outcomes{"result 1", "result 1", "result 1", "result 2"}));
  EXPECT_FALSE(gated.flights.is_under_way("a"));
}

TEST(SingleFlight, does_it_again_for_who_comes_later) {
  Gated gated;
  gated.ask("a");
  gated.let_stand();
  gated.open();
  gated.ask("a");
  gated.open();
  EXPECT_EQ(gated.outcomes, (Outcomes{"result 1", "result 2"}));
}

TEST(SingleFlight, tells_its_failure_to_all_who_wait) {
  Gated gated;
  gated.failure = Error(ErrorCode::not_found, "nothing there");
  gated.ask("a");
  gated.ask("a");
  gated.let_stand();
  gated.open();
  EXPECT_EQ(gated.begun, 1);
  EXPECT_EQ(gated.outcomes, (Outcomes{"nothing there", "nothing there"}));
}

TEST(SingleFlight, is_taken_over_when_the_one_who_does_it_is_cancelled) {
  Gated gated;
  gated.ask("a", true);
  gated.ask("a");
  gated.let_stand();
  gated.stop.emit(asio::cancellation_type::terminal);
  gated.let_stand();
  EXPECT_EQ(gated.outcomes, (Outcomes{"cancelled"}));
  EXPECT_EQ(gated.begun, 2);
  gated.open();
  EXPECT_EQ(gated.outcomes, (Outcomes{"cancelled", "result 2"}));
}

}  // namespace
}  // namespace freshet::pipeline
