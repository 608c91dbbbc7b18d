// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"
#include "freshet/registries/aws/keys.hpp"

#include <boost/asio/redirect_error.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace freshet::registries::aws {

/// Keeps a value that expires and has it fetched again, by one caller at a time: others wait for
/// that one, and when it fails or is cancelled the next of them tries itself. One executor.
template <class T>
class Renewed {
 public:
  struct Dated {
    T value;
    std::optional<UnixTime> expires_at;  // absent: never
  };
  using Fetch = std::function<Awaitable<Dated>(Ctx ctx)>;

  /// A value counts as expired `margin` before it is.
  Renewed(WallClock clock, std::chrono::milliseconds margin)
      : clock_(std::move(clock)), margin_(margin) {}

  Awaitable<T> get(Ctx ctx, Fetch fetch) {
    while (!is_valid() && fetching_) {
      const std::shared_ptr<asio::steady_timer> other = fetching_;
      boost::system::error_code woken;
      co_await other->async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    if (!is_valid()) {
      const Turn turn(*this, co_await asio::this_coro::executor);
      Dated fresh = co_await fetch(ctx);
      kept_ = std::move(fresh);
      fetched_at_ = clock_();
    }
    co_return kept_->value;
  }

  /// Forgets the value. False when it was fetched so recently that another would be no other.
  bool discard() {
    constexpr auto k_fresh = std::chrono::seconds(10);
    const bool is_old = kept_ && clock_() - fetched_at_ > k_fresh;
    kept_.reset();
    return is_old;
  }

 private:
  /// Held while a caller fetches; wakes those who wait, however it ends.
  class Turn {
   public:
    Turn(Renewed& owner, const asio::any_io_executor& executor) : owner_(owner) {
      owner_.fetching_ =
          std::make_shared<asio::steady_timer>(executor, asio::steady_timer::time_point::max());
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() { std::exchange(owner_.fetching_, nullptr)->cancel(); }

   private:
    Renewed& owner_;
  };

  bool is_valid() const {
    return kept_ && (!kept_->expires_at || clock_() + margin_ < *kept_->expires_at);
  }

  WallClock clock_;
  std::chrono::milliseconds margin_;
  std::optional<Dated> kept_;
  UnixTime fetched_at_{};
  std::shared_ptr<asio::steady_timer> fetching_;
};

}  // namespace freshet::registries::aws
