// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/await_on.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <gtest/gtest.h>

namespace freshet {
namespace {

Awaitable<int> give_after(int turns) {
  for (int turn = 0; turn < turns; ++turn) {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  }
  co_return turns;
}

Awaitable<int> hang() {
  asio::steady_timer timer(co_await asio::this_coro::executor, Ctx::Clock::time_point::max());
  co_await timer.async_wait(asio::use_awaitable);
  co_return 0;
}

/// What came of an operation on a strand.
struct Outcome {
  bool has_ended = false;
  std::exception_ptr failure;
  int value = -1;
};

Awaitable<int> await_twice(asio::any_io_executor there, Awaitable<int> first, int more) {
  const int value = co_await await_on(there, std::move(first));
  co_return value + co_await await_on(there, give_after(more));
}

class AwaitOn : public ::testing::Test {
 protected:
  void start(Awaitable<int> operation) {
    const auto keep = [this](std::exception_ptr failure, int value) {
      outcome_ = {true, failure, value};
    };
    asio::co_spawn(io_, std::move(operation), asio::bind_cancellation_slot(stop_.slot(), keep));
  }

  asio::io_context io_;
  asio::any_io_executor strand_ = asio::make_strand(io_);
  asio::cancellation_signal stop_;
  Outcome outcome_;
};

TEST_F(AwaitOn, gives_the_result) {
  start(await_on(strand_, give_after(2)));
  io_.run();
  EXPECT_EQ(outcome_.value, 2);
}

TEST_F(AwaitOn, passes_a_cancellation_on) {
  start(await_on(strand_, hang()));
  io_.poll();
  EXPECT_FALSE(outcome_.has_ended);
  stop_.emit(asio::cancellation_type::terminal);
  io_.run();
  EXPECT_TRUE(outcome_.has_ended);
  EXPECT_TRUE(outcome_.failure);
}

// Sanitizers see what goes wrong where this is not so.
TEST_F(AwaitOn, survives_a_cancellation_that_comes_when_it_has_just_ended) {
  int cancelled = 0;
  for (int steps = 1; steps < 20; ++steps) {
    outcome_ = {};
    start(await_twice(strand_, give_after(3), 3));
    for (int step = 0; step < steps; ++step) {
      io_.poll_one();
    }
    if (!outcome_.has_ended) {
      stop_.emit(asio::cancellation_type::terminal);
    }
    io_.run();
    io_.restart();
    EXPECT_TRUE(outcome_.has_ended) << steps;
    EXPECT_TRUE(outcome_.failure || outcome_.value == 6) << steps;
    cancelled += outcome_.failure ? 1 : 0;
  }
  EXPECT_GT(cancelled, 0);
}

}  // namespace
}  // namespace freshet
