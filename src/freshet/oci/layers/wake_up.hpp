// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace freshet::oci {

/// Lets any thread wake the one coroutine that waits. A call is kept until the next wait, so the
/// order does not matter; several calls may wake once, so whoever waits looks again at what it
/// waits for.
class WakeUp {
 public:
  /// Thread-safe; also when nobody waits any more.
  void notify() { State::wake(*state_, {}); }

  /// Waits for a `notify` since the last wait. Cancellable.
  Awaitable<void> wait() {
    auto initiation = [state = state_](auto handler) { State::add(state, std::move(handler)); };
    auto token = asio::use_awaitable;
    co_await asio::async_initiate<decltype(token), void(boost::system::error_code)>(
        std::move(initiation), token);
  }

 private:
  using Resume = std::function<void(boost::system::error_code)>;

  struct State {
    std::mutex mutex;
    bool is_notified = false;
    Resume resume;

    static void wake(State& state, boost::system::error_code code) {
      Resume resume;
      {
        const std::lock_guard lock(state.mutex);
        resume = std::exchange(state.resume, nullptr);
        state.is_notified = state.is_notified || (!resume && !code);
      }
      if (resume) {
        resume(code);
      }
    }

    template <class Handler>
    static void add(const std::shared_ptr<State>& state, Handler handler) {
      const auto executor = asio::get_associated_executor(handler);
      auto slot = asio::get_associated_cancellation_slot(handler);
      auto shared = std::make_shared<Handler>(std::move(handler));
      Resume resume = [shared, guard = asio::make_work_guard(executor)](auto code) {
        auto call = [handler = std::move(*shared), code]() mutable { std::move(handler)(code); };
        asio::post(guard.get_executor(), std::move(call));
      };
      if (slot.is_connected()) {
        slot.assign(
            [state](asio::cancellation_type) { wake(*state, asio::error::operation_aborted); });
      }
      {
        const std::lock_guard lock(state->mutex);
        if (!std::exchange(state->is_notified, false)) {
          state->resume = std::move(resume);
          return;
        }
      }
      resume({});
    }
  };

  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace freshet::oci
