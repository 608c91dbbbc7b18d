// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/buildkit/blocking_call.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace freshet::engine {
namespace {

/// Runs the call to its end and returns what came out of it: nothing, a message or "aborted".
std::string outcome_of(
    std::function<void(const Post&)> work,
    std::function<void()> interrupt = [] {},
    asio::cancellation_signal* signal = nullptr) {
  asio::io_context io;
  std::string outcome = "still running";
  const auto finish = [&](std::exception_ptr failure) {
    outcome.clear();
    try {
      if (failure) {
        std::rethrow_exception(failure);
      }
    } catch (const Error& error) {
      outcome = error.message();
    } catch (const boost::system::system_error& error) {
      outcome = error.code() == asio::error::operation_aborted ? "aborted" : "other";
    }
  };
  auto call = run_blocking(std::move(work), std::move(interrupt));
  if (signal != nullptr) {
    asio::co_spawn(io, std::move(call), asio::bind_cancellation_slot(signal->slot(), finish));
  } else {
    asio::co_spawn(io, std::move(call), finish);
  }
  io.run();
  return outcome;
}

TEST(RunBlocking, works_on_another_thread_and_posts_to_the_callers) {
  const auto caller = std::this_thread::get_id();
  std::vector<int> order;
  const std::string outcome = outcome_of([&](const Post& post) {
    EXPECT_NE(std::this_thread::get_id(), caller);
    for (int i = 0; i < 100; ++i) {
      post([&order, i, caller] {
        EXPECT_EQ(std::this_thread::get_id(), caller);
        order.push_back(i);
      });
    }
  });
  EXPECT_EQ(outcome, "");
  ASSERT_EQ(order.size(), 100u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(RunBlocking, passes_failures_on) {
  EXPECT_EQ(
      outcome_of([](const Post&) { throw Error(ErrorCode::unavailable, "the disk is on fire"); }),
      "the disk is on fire");
}

TEST(RunBlocking, interrupts_the_work_when_cancelled_and_waits_for_its_end) {
  asio::cancellation_signal signal;
  std::promise<void> interrupted;
  bool has_ended = false;
  const std::string outcome = outcome_of(
      [&](const Post& post) {
        post([&] { signal.emit(asio::cancellation_type::terminal); });
        interrupted.get_future().wait();
        has_ended = true;
        throw Error(ErrorCode::internal, "what the interrupted work says is of no interest");
      },
      [&] { interrupted.set_value(); },
      &signal);
  EXPECT_EQ(outcome, "aborted");
  EXPECT_TRUE(has_ended);
}

}  // namespace
}  // namespace freshet::engine
