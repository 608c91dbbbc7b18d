// SPDX-License-Identifier: Apache-2.0
#include "freshet/oci/distribution/retries.hpp"

#include "freshet/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>

namespace freshet::oci {
namespace {

using namespace std::chrono_literals;

constexpr auto k_notable_rest = 2s;
constexpr std::size_t k_max_judged_body = 16UL * 1024;  // a refusal for its rate is short

/// How those who do not answer 429 say that it was too often, in lower case.
constexpr std::array<std::string_view, 6> k_rate_words{
    "rate limit", "ratelimit", "too many requests", "toomanyrequests", "rate exceeded", "throttl"};

double program_random() {
  thread_local std::mt19937_64 engine(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

std::string shown(Ctx::Clock::duration rest) {
  return human_duration(std::chrono::duration_cast<std::chrono::milliseconds>(rest));
}

}  // namespace

bool is_rate_limit(const net::HttpResponse& response) {
  if (response.status == 429) {
    return true;
  }
  if (response.status != 403 && response.status != 400) {
    return false;
  }
  const std::string words = to_lower(response.body.substr(0, k_max_judged_body));
  return std::ranges::any_of(
      k_rate_words, [&](std::string_view word) { return words.find(word) != std::string::npos; });
}

bool is_worth_retrying(const net::HttpResponse& response) {
  const int status = response.status;
  return status == 408 || status == 500 || status == 502 || status == 503 || status == 504 ||
         is_rate_limit(response);
}

bool is_worth_retrying(const net::TransportError& failure) {
  // A certificate does not become better, nor a policy; a deadline has passed for good.
  return failure.kind() != net::TransportProblem::tls &&
         failure.kind() != net::TransportProblem::forbidden &&
         failure.code() != ErrorCode::deadline_exceeded;
}

std::optional<std::chrono::seconds> wanted_rest(const net::HttpResponse& response) {
  const auto text = response.headers.find("Retry-After");
  return text ? net::parse_retry_after(*text, std::chrono::system_clock::now()) : std::nullopt;
}

ServerTrouble::ServerTrouble(Error error, const net::HttpResponse& response)
    : ServerTrouble(std::move(error), oci::is_worth_retrying(response), wanted_rest(response)) {}

ServerTrouble::ServerTrouble(
    Error error, bool is_worth_retrying, std::optional<std::chrono::seconds> retry_after)
    : Error(std::move(error)), is_worth_retrying_(is_worth_retrying), retry_after_(retry_after) {}

void Attempts::note_progress(std::uint64_t bytes) {
  // A break may come after a minute of silence.
  constexpr std::uint64_t k_worth_a_break = 60 * net::HttpRequest::k_lowest_rate;
  gained_bytes_ += bytes;
  if (gained_bytes_ >= k_worth_a_break) {
    failed_ = 0;
    gained_bytes_ = 0;
  }
}

Awaitable<bool> Attempts::wait_for_next(Ctx ctx, std::optional<std::chrono::seconds> retry_after) {
  ++failed_;
  const net::Random random = options_.random ? options_.random : net::Random(&program_random);
  const auto delay = net::next_delay(failed_, options_.retry, retry_after, random);
  if (!delay) {
    co_return false;
  }
  if (retry_after && *retry_after > options_.retry.max_rest) {
    throw Error(
        ErrorCode::rate_limited,
        fmt::format("'{}' demands a rest of {}, longer than we wait", domain_, shown(*retry_after)))
        .with_hint("try again later, or with credentials that have a higher rate limit");
  }
  const bool is_in_time = *delay < ctx.deadline - Ctx::Clock::now();
  if (!is_in_time && retry_after) {
    throw Error(
        ErrorCode::rate_limited,
        fmt::format(
            "'{}' demands a rest of {}, longer than there is time", domain_, shown(*retry_after)));
  }
  if (!is_in_time) {
    co_return false;
  }
  if (options_.notice && *delay >= k_notable_rest) {
    options_.notice(fmt::format("waiting {} before '{}' is asked again", shown(*delay), domain_));
  }
  auto rest = options_.rest ? options_.rest(*delay) : sleep_for(*delay);
  co_await std::move(rest);
  co_return true;
}

}  // namespace freshet::oci
