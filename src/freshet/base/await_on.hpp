// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/dispatch.hpp>

#include <memory>

namespace freshet {

/// Runs `operation` on another executor, such as a strand, and awaits its result. Cancelling the
/// awaiting coroutine cancels it there.
///
/// Boost 1.81's `co_await co_spawn(executor, operation, use_awaitable)` does not do for that: a
/// cancellation is posted to the executor with a pointer into the awaiting coroutine's slot, which
/// is gone when the operation has ended before the cancellation arrives.
template <class T>
Awaitable<T> await_on(asio::any_io_executor executor, Awaitable<T> operation) {
  const auto stop = std::make_shared<asio::cancellation_signal>();
  const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
  asio::cancellation_slot slot = state.slot();
  if (slot.is_connected()) {
    slot.assign([stop, executor](asio::cancellation_type type) {
      asio::dispatch(executor, [stop, type] { stop->emit(type); });
    });
  }
  auto token = asio::bind_cancellation_slot(stop->slot(), asio::use_awaitable);
  co_return co_await asio::co_spawn(executor, std::move(operation), std::move(token));
}

}  // namespace freshet
