// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/curl_exchange.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>

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
  moved_at_ = Ctx::Clock::now();
  watch_for_stall();
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

void CurlExchange::watch_for_stall() {
  const auto limit = transfer_.request().stall_limit;
  if (limit.count() <= 0) {
    return;
  }
  watchdog_.expires_after(std::chrono::milliseconds(limit) / 4);
  watchdog_.async_wait([weak = weak_from_this()](boost::system::error_code failure) {
    const auto self = weak.lock();
    if (self != nullptr && !failure && !self->code_) {
      self->check_stall();
    }
  });
}

void CurlExchange::check_stall() {
  const auto now = Ctx::Clock::now();
  const std::uint64_t moved = transfer_.moved_bytes();
  if (moved != moved_bytes_ || transfer_.is_waiting_for_us()) {
    moved_bytes_ = moved;
    moved_at_ = now;
  } else if (now - moved_at_ >= transfer_.request().stall_limit) {
    transfer_.stall();
    end(CURLE_OPERATION_TIMEDOUT);
    return;
  }
  watch_for_stall();
}

}  // namespace freshet::net
