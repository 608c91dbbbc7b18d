// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/layers/wake_up.hpp"

#include "freshet/base/testing/run.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace freshet::oci {
namespace {

using freshet::testing::run;

TEST(WakeUp, keeps_a_call_until_the_next_wait) {
  WakeUp wake_up;
  wake_up.notify();
  run(wake_up.wait());
}

Awaitable<void> wait_until(WakeUp& wake_up, std::atomic<int>& count, int enough) {
  while (count < enough) {
    co_await wake_up.wait();
  }
}

TEST(WakeUp, loses_no_call_of_another_thread) {
  WakeUp wake_up;
  std::atomic<int> count = 0;
  std::thread other([&] {
    for (int i = 0; i < 20'000; ++i) {
      ++count;
      wake_up.notify();
    }
  });
  for (int enough = 1; enough <= 20'000; enough += 7) {
    run(wait_until(wake_up, count, enough));
  }
  other.join();
}

TEST(WakeUp, is_free_for_the_next_wait_after_a_cancelled_one) {
  WakeUp wake_up;
  asio::io_context io;
  asio::cancellation_signal signal;
  std::exception_ptr thrown;
  const auto finish = [&](std::exception_ptr failure) { thrown = failure; };
  asio::co_spawn(io, wake_up.wait(), asio::bind_cancellation_slot(signal.slot(), finish));
  asio::post(io, [&] { signal.emit(asio::cancellation_type::terminal); });
  io.run();
  EXPECT_THROW(std::rethrow_exception(thrown), boost::system::system_error);
  wake_up.notify();
  run(wake_up.wait());
}

}  // namespace
}  // namespace freshet::oci
