// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/host_gates.hpp"

#include "freshet/base/await_on.hpp"
#include "freshet/net/retry.hpp"
#include "freshet/net/url.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

namespace freshet::net {
namespace {

constexpr auto k_longest_pause = RetryPolicy().max_rest;

}  // namespace

HostGates::Host& HostGates::host_at(const std::string& authority) {
  return hosts_.try_emplace(authority, strand_).first->second;
}

bool HostGates::has_turn(const Host& host, Kind kind) {
  return kind == Kind::upload || host.queues[int(kind)].in_flight < host.limit.allowed();
}

void HostGates::wake_next(Host& host, Kind kind) {
  if (has_turn(host, kind)) {
    host.queues[int(kind)].changed.cancel_one();
  }
}

/// On the strand.
Awaitable<HostGates::Turn> HostGates::enter(
    std::shared_ptr<HostGates> self, Ctx ctx, std::string authority, Kind kind) {
  Host& host = self->host_at(authority);
  Queue& queue = host.queues[int(kind)];
  // However this one leaves, it may have been woken for a turn, or there may be room for another.
  const std::shared_ptr<void> handing_on(nullptr, [&](void*) { wake_next(host, kind); });
  for (;;) {
    const auto now = self->time_.now();
    const auto until = host.limit.paused_until();
    if (until > now && (until > ctx.deadline || until - now > k_longest_pause)) {
      throw Error(
          ErrorCode::rate_limited,
          fmt::format(
              "'{}' takes no requests for another {} s, which is longer than {}",
              authority,
              std::chrono::ceil<std::chrono::seconds>(until - now).count(),
              until > ctx.deadline ? "there is time" : "we wait"))
          .with_hint("try again later, or with credentials that have a higher rate limit");
    }
    if (until > now) {
      co_await self->time_.sleep_until(until);
      continue;
    }
    if (has_turn(host, kind)) {
      ++queue.in_flight;
      Turn turn(self, authority, kind, host.limit.start(now));
      co_return turn;  // an object: when nobody waits for it any more it still ends
    }
    boost::system::error_code woken;
    co_await queue.changed.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
      throw boost::system::system_error(asio::error::operation_aborted);
    }
  }
}

Awaitable<HostGates::Turn> HostGates::take_turn(
    std::shared_ptr<HostGates> self, Ctx ctx, std::string url, Kind kind) {
  const auto parsed = parse_url(url);
  if (!parsed) {
    co_return Turn();
  }
  const std::string authority = parsed->authority();
  std::string what = fmt::format("waiting for a turn to ask '{}'", authority);
  auto entered = await_on<Turn>(self->strand_, enter(self, ctx, authority, kind));
  co_return co_await with_deadline(ctx, std::move(what), std::move(entered));
}

template <class Work>
void HostGates::Turn::with_host(Work work) const {
  if (gates_ != nullptr) {
    asio::dispatch(
        gates_->strand_, [gates = gates_, authority = authority_, work = std::move(work)] {
          work(*gates, gates->host_at(authority));
        });
  }
}

void HostGates::Turn::learn(const HttpResponse& answer) const {
  HttpResponse head;
  head.status = answer.status;
  head.headers = answer.headers;
  with_host([number = number_, head = std::move(head)](HostGates& gates, Host& host) {
    host.limit.learn(number, head, gates.time_.now(), gates.time_.date());
  });
}

void HostGates::Turn::learn(const TransportError& failure) const {
  if (failure.kind() == TransportProblem::timed_out) {
    with_host([number = number_](HostGates&, Host& host) { host.limit.learn_timeout(number); });
  }
}

void HostGates::Turn::end() {
  with_host([kind = kind_](HostGates&, Host& host) {
    --host.queues[int(kind)].in_flight;
    wake_next(host, kind);
  });
  gates_ = nullptr;
}

}  // namespace freshet::net
