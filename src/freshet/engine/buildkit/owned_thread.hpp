// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <thread>
#include <utility>

namespace freshet::engine {

/// A thread for one piece of blocking work, joined when this goes. Whoever owns it must be able to
/// make the work end.
class OwnedThread {
 public:
  OwnedThread() = default;
  /// `work` must not throw.
  explicit OwnedThread(std::function<void()> work) {
    std::promise<void> ended;
    ended_ = ended.get_future();
    thread_ = std::thread([work = std::move(work), ended = std::move(ended)]() mutable {
      work();
      ended.set_value();
    });
  }
  OwnedThread(OwnedThread&&) = default;
  OwnedThread& operator=(OwnedThread&& other) {
    join();
    ended_ = std::move(other.ended_);
    thread_ = std::move(other.thread_);
    return *this;
  }
  ~OwnedThread() { join(); }

  bool has_ended_within(std::chrono::milliseconds limit) const {
    return !ended_.valid() || ended_.wait_for(limit) == std::future_status::ready;
  }

  void join() {
    if (thread_.joinable()) {
      thread_.join();
    }
  }

 private:
  std::future<void> ended_;
  std::thread thread_;
};

}  // namespace freshet::engine
