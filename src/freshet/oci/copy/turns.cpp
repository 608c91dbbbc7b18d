// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/copy/turns.hpp"

#include <boost/asio/redirect_error.hpp>

namespace freshet::oci {

Turns::Turn::~Turn() {
  if (turns_ != nullptr) {
    turns_->leave(name_);
  }
}

Awaitable<Turns::Turn> Turns::take(std::string name) {
  while (gates_[name].inside >= at_once_) {
    co_await wait_at(name);
  }
  ++gates_[name].inside;
  Turn turn(*this, std::move(name));
  co_return turn;
}

Awaitable<void> Turns::wait_at(std::string name) {
  // A timer that never expires: cancelling it is the signal.
  asio::steady_timer signal(co_await asio::this_coro::executor, Ctx::Clock::time_point::max());
  std::list<asio::steady_timer*>& waiting = gates_[name].waiting;
  const auto place = waiting.insert(waiting.end(), &signal);
  boost::system::error_code ignored;
  co_await signal.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  waiting.erase(place);
  drop_if_unused(name);
}

void Turns::leave(const std::string& name) {
  Gate& gate = gates_[name];
  --gate.inside;
  // All of them, since one that is being cancelled would not pass the signal on.
  for (asio::steady_timer* signal : gate.waiting) {
    signal->cancel();
  }
  drop_if_unused(name);
}

void Turns::drop_if_unused(const std::string& name) {
  const auto gate = gates_.find(name);
  if (gate != gates_.end() && gate->second.inside == 0 && gate->second.waiting.empty()) {
    gates_.erase(gate);
  }
}

}  // namespace freshet::oci
