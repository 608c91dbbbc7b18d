// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/curl_exchange.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>

namespace freshet::net {
namespace {

/// Less room than this is not worth a read of the source.
constexpr std::size_t k_worthwhile_room = 128UL * 1024;

/// Waits until `changed` is cancelled, which says that something is to be looked at again.
Awaitable<void> wait(asio::steady_timer& changed) {
  boost::system::error_code woken;
  co_await changed.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) {
    throw boost::system::system_error(asio::error::operation_aborted);
  }
}

/// Ends an exchange when the coroutine that owns it goes.
struct EndAtExit {
  ~EndAtExit() { exchange.end(CURLE_ABORTED_BY_CALLBACK); }
  CurlExchange& exchange;
};

}  // namespace

CurlExchange::CurlExchange(
    std::shared_ptr<CurlDriver> driver,
    std::shared_ptr<const CurlSettings> settings,
    Ctx ctx,
    HttpRequest request,
    CurlTransfer::Mode mode)
    : driver_(std::move(driver)),
      settings_(std::move(settings)),
      transfer_(ctx, std::move(request), mode, *settings_),
      answer_changed_(driver_->strand(), asio::steady_timer::time_point::max()),
      room_changed_(driver_->strand(), asio::steady_timer::time_point::max()),
      watchdog_(driver_->strand()) {
  transfer_.on_change([this] { hear(); });
}

CurlExchange::~CurlExchange() {
  if (is_attached_) {
    driver_->detach(transfer_.handle());
  }
}

void CurlExchange::attach() {
  driver_->attach(transfer_.handle(), *this);
  is_attached_ = true;
  last_move_ = pace_ = sent_ = Mark{0, Ctx::Clock::now()};
  watch_pace();
}

void CurlExchange::end(CURLcode code) {
  if (code_) {
    return;
  }
  code_ = transfer_.settled(code);
  if (is_attached_) {
    is_attached_ = false;
    driver_->detach(transfer_.handle());
  }
  watchdog_.cancel();
  answer_changed_.cancel();
  room_changed_.cancel();
}

/// Inside curl: only wakes those who then look.
void CurlExchange::hear() {
  answer_changed_.cancel();
  room_changed_.cancel();
}

bool CurlExchange::is_answered() const {
  const bool is_sent = transfer_.request().body_stream == nullptr || transfer_.is_upload_ended();
  return transfer_.is_refusal() || (transfer_.has_header() && is_sent);
}

Awaitable<HttpResponse> CurlExchange::run(std::shared_ptr<CurlExchange> self) {
  const EndAtExit guard{*self};
  self->attach();
  while (!self->code_) {
    co_await wait(self->answer_changed_);
  }
  if (*self->code_ != CURLE_OK) {
    self->transfer_.throw_failure(*self->code_);
  }
  co_return self->transfer_.take_response();
}

Awaitable<HttpResponse> CurlExchange::start(std::shared_ptr<CurlExchange> self) {
  self->attach();
  while (!self->is_answered()) {
    if (self->code_) {
      const bool is_early = *self->code_ == CURLE_OK;  // answered, with the body not sent yet
      self->transfer_.throw_failure(is_early ? CURLE_SEND_ERROR : *self->code_);
    }
    co_await wait(self->answer_changed_);
  }
  if (!self->code_) {
    self->transfer_.resume();  // after a refusal: curl must see that sending is over
  }
  co_return self->transfer_.take_response();
}

Awaitable<std::size_t> CurlExchange::read(
    std::shared_ptr<CurlExchange> self, asio::mutable_buffer buffer) {
  ByteRing& body = self->transfer_.body();
  while (body.is_empty() && !self->code_) {
    co_await wait(self->answer_changed_);
  }
  const std::size_t taken = body.take(static_cast<char*>(buffer.data()), buffer.size());
  if (!self->code_) {
    self->transfer_.resume();
  } else if (taken == 0 && *self->code_ != CURLE_OK) {
    self->transfer_.throw_failure(*self->code_);
  }
  co_return taken;
}

Awaitable<asio::mutable_buffer> CurlExchange::offer(
    std::shared_ptr<CurlExchange> self, std::size_t count, bool is_end) {
  ByteRing& upload = self->transfer_.upload();
  upload.commit(count);
  if (is_end) {
    self->transfer_.end_upload();
    self->answer_changed_.cancel();
  }
  if (!self->code_) {
    self->transfer_.resume();
  }
  while (!is_end && !self->code_ && upload.free() < k_worthwhile_room) {
    co_await wait(self->room_changed_);
  }
  co_return is_end || self->code_ ? asio::mutable_buffer() : upload.space();
}

void CurlExchange::watch_pace() {
  const HttpRequest& request = transfer_.request();
  const auto shorter = std::min<std::chrono::milliseconds>(request.stall_limit, request.slow_limit);
  watchdog_.expires_after(shorter / 4);
  watchdog_.async_wait([weak = weak_from_this()](boost::system::error_code failure) {
    const auto self = weak.lock();
    if (self != nullptr && !failure && !self->code_) {
      self->check_pace();
    }
  });
}

void CurlExchange::check_pace() {
  const auto now = Ctx::Clock::now();
  const std::uint64_t moved = transfer_.moved_bytes();
  if (transfer_.is_waiting_for_us()) {
    last_move_ = pace_ = sent_ = Mark{moved, now};
  }
  if (is_stalled(now, moved)) {
    transfer_.stall();
    end(CURLE_OPERATION_TIMEDOUT);
  } else if (is_too_slow(now, moved)) {
    end(CURLE_OPERATION_TIMEDOUT);
  } else {
    watch_pace();
  }
}

bool CurlExchange::is_stalled(Ctx::Clock::time_point now, std::uint64_t moved) {
  if (moved != last_move_.bytes) {
    last_move_ = Mark{moved, now};
  }
  return now - last_move_.at >= transfer_.request().stall_limit;
}

/// Whoever sends a byte now and then is never silent, and never done.
bool CurlExchange::is_too_slow(Ctx::Clock::time_point now, std::uint64_t moved) {
  const auto limit = transfer_.request().slow_limit;
  if (!transfer_.owes_short_answer()) {
    sent_ = Mark{moved, now};
  } else if (now - sent_.at >= limit) {
    transfer_.give_up_slow(moved - sent_.bytes, now - sent_.at);
    return true;
  }
  if (now - pace_.at < limit) {
    return false;
  }
  const std::chrono::duration<double> elapsed = now - pace_.at;
  if (double(moved - pace_.bytes) < double(HttpRequest::k_lowest_rate) * elapsed.count()) {
    transfer_.give_up_slow(moved - pace_.bytes, now - pace_.at);
    return true;
  }
  pace_ = Mark{moved, now};
  return false;
}

}  // namespace freshet::net
