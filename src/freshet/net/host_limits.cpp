// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/host_limits.hpp"

#include "freshet/net/host_gates.hpp"
#include "freshet/net/retry.hpp"
#include "freshet/net/url.hpp"

#include <algorithm>
#include <charconv>

namespace freshet::net {
namespace {

using std::chrono::seconds;

constexpr double k_part_of_taken = 0.7;
constexpr double k_faster = 0.1;  // requests a second; so each second makes a tenth more

/// `x-ratelimit-reset` of an exhausted quota: seconds since 1970. Source: GitHub REST API,
/// "Rate limits for the REST API".
std::optional<seconds> wait_for_reset(
    const HttpResponse& answer, std::chrono::system_clock::time_point date) {
  if (answer.headers.find("x-ratelimit-remaining") != "0") {
    return std::nullopt;
  }
  const std::string text = answer.headers.find("x-ratelimit-reset").value_or("");
  long long reset = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), reset);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    return std::nullopt;
  }
  const auto now = std::chrono::floor<seconds>(date.time_since_epoch()).count();
  return seconds(std::clamp<long long>(reset - now, 0, seconds(std::chrono::hours(24)).count()));
}

/// An answer that counts until it was read.
class LimitedStream final : public HttpStream {
 public:
  LimitedStream(std::unique_ptr<HttpStream> stream, HostGates::Turn turn)
      : stream_(std::move(stream)), turn_(std::move(turn)) {}

  const HttpResponse& head() const override { return stream_->head(); }

  Awaitable<std::size_t> read(asio::mutable_buffer buffer) override {
    try {
      const std::size_t count = co_await stream_->read(buffer);
      if (count == 0) {
        turn_.end();
      }
      co_return count;
    } catch (const TransportError& error) {
      turn_.learn(error);
      turn_.end();
      throw;
    }
  }

 private:
  std::unique_ptr<HttpStream> stream_;
  HostGates::Turn turn_;
};

HostGates::Kind kind_of(const HttpRequest& request, HostGates::Kind kind) {
  return request.body_stream != nullptr ? HostGates::Kind::upload : kind;
}

}  // namespace

void HostLimit::learn(
    std::uint64_t number,
    const HttpResponse& answer,
    Moment now,
    std::chrono::system_clock::time_point date) {
  const int status = answer.status;
  std::optional<seconds> wait;
  if (status == 403 || status == 429 || status == 503) {
    const auto text = answer.headers.find("Retry-After");
    wait = text ? parse_retry_after(*text, date) : wait_for_reset(answer, date);
  }
  if (wait) {
    paused_until_ = std::max(paused_until_, now + *wait);
  }
  if (wait || status == 429 || status == 503) {  // a 403 without more is about rights
    const bool is_news = shrink(number);
    if (is_news && status != 503) {  // which is about load
      slow_down();
    }
  } else if (status < 500) {
    allowed_ = std::min(k_most, allowed_ + 1 / allowed_);
    note_taken(now);
  }
}

std::uint64_t HostLimit::start(Moment now) {
  if (rate_) {
    const auto apart = std::chrono::duration<double>(1 / *rate_);
    next_at_ = now + std::chrono::duration_cast<Moment::duration>(apart);
  }
  return ++started_;
}

void HostLimit::note_taken(Moment now) {
  if (now >= second_began_ + seconds(1)) {
    second_began_ = now;
    taken_ = 0;
  }
  ++taken_;
  if (rate_) {
    rate_ = *rate_ + k_faster;
    if (*rate_ > k_most_often) {
      rate_.reset();
      next_at_ = Moment::min();
    }
  }
}

void HostLimit::slow_down() {
  const double rate = rate_ ? *rate_ / 2 : std::max(1.0, k_part_of_taken * taken_);
  rate_ = std::clamp(rate, k_least_often, k_most_often);
}

void HostLimit::learn_timeout(std::uint64_t number) {
  shrink(number);
}

/// Once for all requests that were under way together: whether this was the first of them.
bool HostLimit::shrink(std::uint64_t number) {
  const bool is_first = number > shrunk_at_;
  if (is_first) {
    allowed_ = std::max(1.0, allowed_ / 2);
    shrunk_at_ = started_;
  }
  return is_first;
}

LimitedHttpClient::Time LimitedHttpClient::Time::real() {
  return Time{&Ctx::Clock::now, &std::chrono::system_clock::now, [](Ctx::Clock::time_point moment) {
                return detail::wait_until(moment);
              }};
}

LimitedHttpClient::LimitedHttpClient(
    const asio::any_io_executor& executor, HttpClient& client, Time time)
    : client_(client), gates_(std::make_shared<HostGates>(executor, std::move(time))) {}

LimitedHttpClient::~LimitedHttpClient() = default;

Awaitable<HttpResponse> LimitedHttpClient::send(Ctx ctx, HttpRequest request) {
  const auto kind = kind_of(request, HostGates::Kind::whole);
  HostGates::Turn turn = co_await HostGates::take_turn(gates_, ctx, request.url, kind);
  try {
    HttpResponse response = co_await client_.send(ctx, std::move(request));
    turn.learn(response);
    co_return response;
  } catch (const TransportError& error) {
    turn.learn(error);
    throw;
  }
}

Awaitable<std::unique_ptr<HttpStream>> LimitedHttpClient::open(Ctx ctx, HttpRequest request) {
  const auto kind = kind_of(request, HostGates::Kind::stream);
  HostGates::Turn turn = co_await HostGates::take_turn(gates_, ctx, request.url, kind);
  try {
    auto stream = co_await client_.open(ctx, std::move(request));
    turn.learn(stream->head());
    co_return std::make_unique<LimitedStream>(std::move(stream), std::move(turn));
  } catch (const TransportError& error) {
    turn.learn(error);
    throw;
  }
}

}  // namespace freshet::net
