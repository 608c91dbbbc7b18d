// SPDX-License-Identifier: Apache-2.0
#include "freshet/base/async.hpp"

#include "freshet/base/testing/run.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace freshet {
namespace {

using namespace std::chrono_literals;
using testing::error_of;
using testing::run;

Awaitable<int> give(int value) {
  co_return value;
}

Awaitable<std::unique_ptr<int>> give_unmovable_by_copy() {
  co_return std::make_unique<int>(7);
}

Awaitable<int> fail() {
  throw Error(ErrorCode::not_found, "no such thing");
  co_return 0;
}

Awaitable<void> fail_later() {
  co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  throw Error(ErrorCode::conflict, "too late");
}

/// Never ends by itself; tells how it was ended.
Awaitable<int> hang(bool* was_cancelled) {
  asio::steady_timer timer(co_await asio::this_coro::executor, Ctx::Clock::time_point::max());
  boost::system::error_code code;
  auto token = asio::redirect_error(asio::use_awaitable, code);
  co_await timer.async_wait(token);
  *was_cancelled = code == asio::error::operation_aborted;
  throw boost::system::system_error(code);
}

TEST(Ctx, never_gets_a_later_deadline) {
  const auto before = Ctx::Clock::now();
  const Ctx near = Ctx().within(1s);
  EXPECT_GE(near.deadline, before + 1s);
  EXPECT_EQ(near.within(1h).deadline, near.deadline);
  EXPECT_EQ(Ctx().deadline, Ctx::Clock::time_point::max());
}

TEST(WithDeadline, gives_the_result) {
  EXPECT_EQ(run(with_deadline(Ctx(), "giving", give(3))), 3);
  EXPECT_EQ(run(with_deadline(Ctx().within(1h), "giving", give(3))), 3);
  EXPECT_EQ(*run(with_deadline(Ctx().within(1h), "giving", give_unmovable_by_copy())), 7);
}

TEST(WithDeadline, reports_a_fast_failure_as_itself) {
  for (const Ctx& ctx : {Ctx(), Ctx().within(1h)}) {
    EXPECT_EQ(
        error_of([&] { run(with_deadline(ctx, "trying", fail())); }),
        "not_found\nerror: no such thing\n");
    EXPECT_EQ(
        error_of([&] { run(with_deadline(ctx, "trying", fail_later())); }),
        "conflict\nerror: too late\n");
  }
}

TEST(WithDeadline, cancels_and_names_what_took_too_long) {
  bool was_cancelled = false;
  EXPECT_EQ(
      error_of(
          [&] { run(with_deadline(Ctx().within(1ms), "waiting for X", hang(&was_cancelled))); }),
      "deadline_exceeded\nerror: waiting for X took too long\n");
  EXPECT_TRUE(was_cancelled);
}

TEST(WithDeadline, passes_on_a_cancellation_from_outside) {
  asio::io_context loop;
  asio::cancellation_signal cancel;
  bool was_cancelled = false;
  std::exception_ptr failure;
  const auto on_end = [&](std::exception_ptr thrown, int) { failure = thrown; };
  asio::co_spawn(
      loop,
      with_deadline(Ctx().within(1h), "waiting for X", hang(&was_cancelled)),
      asio::bind_cancellation_slot(cancel.slot(), on_end));
  asio::post(loop, [&] { cancel.emit(asio::cancellation_type::terminal); });
  loop.run();
  EXPECT_TRUE(was_cancelled);
  ASSERT_TRUE(failure);
  EXPECT_THROW(std::rethrow_exception(failure), boost::system::system_error) << "not a timeout";
}

TEST(InContext, adds_its_frame_to_an_error) {
  EXPECT_EQ(
      error_of([&] { run(in_context("pulling x", in_context("asking y", fail()))); }),
      "not_found\nerror: no such thing\n  while asking y\n  while pulling x\n");
  EXPECT_EQ(run(in_context("giving", give(3))), 3);
}

Awaitable<bool> comes_back_to_its_thread(asio::thread_pool* pool) {
  const auto here = std::this_thread::get_id();
  const auto work = [] { return std::this_thread::get_id(); };
  const auto there = co_await offload(*pool, work);
  co_return there != here&& std::this_thread::get_id() == here;
}

TEST(Offload, runs_on_the_pool_and_comes_back) {
  asio::thread_pool pool(1);
  EXPECT_TRUE(run(comes_back_to_its_thread(&pool)));
}

TEST(Offload, passes_on_what_the_work_throws) {
  asio::thread_pool pool(1);
  const auto work = []() -> int { throw Error(ErrorCode::conflict, "no"); };
  EXPECT_EQ(error_of([&] { run(offload(pool, work)); }), "conflict\nerror: no\n");
}

Awaitable<int> offload_a_number(asio::thread_pool* pool) {
  const auto work = [] { return 7; };
  co_return co_await offload(*pool, work);
}

void wait_for_a_turn(asio::thread_pool& pool) {
  std::promise<void> turn;
  asio::post(pool, [&] { turn.set_value(); });
  turn.get_future().wait();
}

// Sanitizers see what goes wrong where this is not so.
TEST(Offload, survives_a_cancellation_that_reaches_the_pool_after_its_end) {
  asio::thread_pool pool(1);
  asio::io_context io;
  asio::cancellation_signal stop;
  std::promise<void> may_go_on;
  int value = 0;
  const auto keep = [&](std::exception_ptr, int result) {
    value = result;
    stop.slot().clear();
  };
  asio::co_spawn(io, offload_a_number(&pool), asio::bind_cancellation_slot(stop.slot(), keep));
  const auto cancel_late = [&] {
    wait_for_a_turn(pool);  // of the work
    wait_for_a_turn(pool);  // of its answer, which waits for this very function now
    asio::post(pool, [&] { may_go_on.get_future().wait(); });
    stop.emit(asio::cancellation_type::terminal);
  };
  asio::post(io, cancel_late);
  io.run();
  may_go_on.set_value();
  pool.join();
  EXPECT_EQ(value, 7);
}

TEST(SleepFor, waits_at_least_that_long) {
  const auto before = Ctx::Clock::now();
  run(sleep_for(5ms));
  EXPECT_GE(Ctx::Clock::now() - before, 5ms);
}

}  // namespace
}  // namespace freshet
