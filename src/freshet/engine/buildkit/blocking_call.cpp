// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/buildkit/blocking_call.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <memory>
#include <thread>

namespace freshet::engine {
namespace {

/// Shared by the waiting coroutine and the thread that works for it.
struct Call {
  ~Call() {
    // Only when the executor was torn down under us: the thread may then hold the last reference.
    if (thread.get_id() == std::this_thread::get_id()) {
      thread.detach();
    } else if (thread.joinable()) {
      thread.join();
    }
  }

  std::function<void(const Post&)> work;
  std::function<void()> interrupt;
  std::exception_ptr failure;
  bool was_cancelled = false;  // touched on the caller's executor only
  std::thread thread;
};

template <class Handler>
void start(Handler handler, std::shared_ptr<Call> call, asio::any_io_executor executor) {
  auto slot = asio::get_associated_cancellation_slot(handler);
  if (slot.is_connected()) {
    slot.assign([call](asio::cancellation_type) {
      call->was_cancelled = true;
      call->interrupt();
    });
  }
  auto guard = asio::make_work_guard(executor);
  // A strand keeps the order of what is posted even where several threads run the executor.
  auto strand = asio::make_strand(executor);
  auto shared_handler = std::make_shared<Handler>(std::move(handler));
  call->thread =
      std::thread([call, strand, slot, shared_handler, guard = std::move(guard)]() mutable {
        const Post post = [strand](std::function<void()> task) {
          asio::post(strand, std::move(task));
        };
        try {
          call->work(post);
        } catch (...) {
          call->failure = std::current_exception();
        }
        auto finish =
            [call, slot, handler = std::move(shared_handler), guard = std::move(guard)]() mutable {
              call->thread.join();
              if (slot.is_connected()) {
                slot.clear();
              }
              (*handler)(call->failure);
            };
        asio::post(strand, std::move(finish));
      });
}

}  // namespace

Awaitable<void> run_blocking(
    std::function<void(const Post& post)> work, std::function<void()> interrupt) {
  auto call = std::make_shared<Call>();
  call->work = std::move(work);
  call->interrupt = std::move(interrupt);
  const auto executor = co_await asio::this_coro::executor;
  auto initiation = [call, executor](auto handler) { start(std::move(handler), call, executor); };
  try {
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr)>(
        initiation, asio::use_awaitable);
  } catch (...) {
    if (!call->was_cancelled) {
      throw;
    }
  }
  if (call->was_cancelled) {
    throw boost::system::system_error(asio::error::operation_aborted);
  }
}

}  // namespace freshet::engine
