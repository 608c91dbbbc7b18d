// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/error.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace freshet {

namespace asio = boost::asio;
template <class T>
using Awaitable = asio::awaitable<T>;

/// What every waiting operation is told: until when it may wait. Copied, first parameter.
struct Ctx {
  using Clock = std::chrono::steady_clock;

  Clock::time_point deadline = Clock::time_point::max();

  /// The same context with a deadline at most `limit` from now.
  Ctx within(Clock::duration limit) const { return Ctx{std::min(deadline, Clock::now() + limit)}; }
};

namespace detail {

/// How an operation ended. A type of its own: Asio's `||` would flatten a variant.
template <class T>
struct Settled {
  std::exception_ptr failure;
  std::optional<std::conditional_t<std::is_void_v<T>, std::monostate, T>> value;
};

/// Turns every outcome of `operation` into a value, so that a race is won by the first to finish
/// and not by the first to succeed.
template <class T>
Awaitable<Settled<T>> settle(Awaitable<T> operation) {
  Settled<T> settled;
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(operation);
    } else {
      settled.value.emplace(co_await std::move(operation));
    }
  } catch (...) {
    settled.failure = std::current_exception();
  }
  co_return settled;
}

inline Awaitable<void> wait_until(Ctx::Clock::time_point moment) {
  asio::steady_timer timer(co_await asio::this_coro::executor, moment);
  co_await timer.async_wait(asio::use_awaitable);
}

template <class Work>
Awaitable<std::invoke_result_t<Work>> call(Work work) {
  co_return work();
}

}  // namespace detail

/// Awaits `operation` until the deadline of `ctx`, then cancels it and throws `deadline_exceeded`
/// that names `what` ("waiting for X"). `operation` must react to cancellation.
template <class T>
Awaitable<T> with_deadline(Ctx ctx, std::string what, Awaitable<T> operation) {
  using namespace asio::experimental::awaitable_operators;
  if (ctx.deadline == Ctx::Clock::time_point::max()) {
    co_return co_await std::move(operation);
  }
  auto outcome =
      co_await (detail::settle(std::move(operation)) || detail::wait_until(ctx.deadline));
  if (outcome.index() == 1) {
    throw Error(ErrorCode::deadline_exceeded, what + " took too long");
  }
  detail::Settled<T>& settled = std::get<0>(outcome);
  if (settled.failure) {
    std::rethrow_exception(settled.failure);
  }
  if constexpr (!std::is_void_v<T>) {
    co_return std::move(*settled.value);
  }
}

/// Awaits `operation` and adds `frame` to an `Error` that leaves it.
template <class T>
Awaitable<T> in_context(std::string frame, Awaitable<T> operation) {
  try {
    co_return co_await std::move(operation);
  } catch (Error& error) {
    error.add_frame(frame);
    throw;
  }
}

/// Awaits `operation` to its end even when the awaiting coroutine is cancelled meanwhile; the
/// cancellation then shows at the next wait. For what must not be left half done.
template <class T>
Awaitable<T> uninterrupted(Awaitable<T> operation) {
  const auto executor = co_await asio::this_coro::executor;
  auto token = asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable);
  co_return co_await asio::co_spawn(executor, std::move(operation), std::move(token));
}

/// Runs blocking `work` on `pool` and awaits its result. Cancelling does not interrupt `work`. The
/// awaiting coroutine's executor must outlive `pool`, whose thread lets go of it after the answer.
template <class Work>
Awaitable<std::invoke_result_t<Work>> offload(asio::thread_pool& pool, Work work) {
  // No slot: a cancellation that waits in the pool's queue would point to what is gone by then.
  auto token = asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable);
  co_return co_await asio::co_spawn(
      pool.get_executor(), detail::call(std::move(work)), std::move(token));
}

inline Awaitable<void> sleep_for(Ctx::Clock::duration duration) {
  co_await detail::wait_until(Ctx::Clock::now() + duration);
}

}  // namespace freshet
