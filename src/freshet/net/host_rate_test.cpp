// SPDX-License-Identifier: Apache-2.0
// How `HostLimit` gets along with hosts that refuse whoever asks too often.
#include "freshet/net/host_limits.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace freshet::net {
namespace {

using namespace std::chrono_literals;
using Moment = Ctx::Clock::time_point;

/// A host that takes a burst of requests, then so many a second, and refuses more without a word on
/// when to come again.
struct Bucket {
  double burst;
  double per_second;
  double tokens = burst;
  Moment at{};

  bool takes(Moment now) {
    tokens += std::chrono::duration<double>(now - at).count() * per_second;
    tokens = std::min(tokens, burst);
    at = now;
    const bool has = tokens >= 1;
    tokens -= has ? 1 : 0;
    return has;
  }
};

struct Outcome {
  int refused = 0;
  int most_refusals_of_one = 0;
  std::chrono::milliseconds took{};
};

/// What comes of so many requests, six at once and each answered after 5 ms, which are repeated as
/// registries' are. Time is counted, not waited for.
Outcome ask(Bucket host, int requests) {
  struct Asking {
    Moment ready_at{};
    Moment answered_at = Moment::max();  // not under way
    std::uint64_t number = 0;
    int refusals = 0;
    bool is_taken = false;
  };
  std::vector<Asking> left(static_cast<std::size_t>(requests));
  HostLimit limit;
  Outcome outcome;
  Moment now{1h};
  host.at = now;
  const Moment begin = now;
  for (; !left.empty(); now += 1ms) {
    for (Asking& one : left) {
      if (one.answered_at > now) {
        continue;
      }
      one.answered_at = Moment::max();
      HttpResponse answer;
      answer.status = one.is_taken ? 200 : 429;
      limit.learn(one.number, answer, now, {});
      if (!one.is_taken) {
        ++outcome.refused;
        outcome.most_refusals_of_one = std::max(outcome.most_refusals_of_one, ++one.refusals);
        one.ready_at = now + 150ms * (1 << one.refusals) / 2;
      }
      one.number = 0;
    }
    std::erase_if(left, [](const Asking& one) { return one.is_taken && one.number == 0; });
    auto under_way = std::ranges::count_if(left, [](const Asking& one) { return one.number > 0; });
    for (Asking& one : left) {
      const bool may = under_way < std::min(6, limit.allowed()) && limit.paused_until() <= now;
      if (may && one.number == 0 && one.ready_at <= now) {
        one.number = limit.start(now);
        one.is_taken = host.takes(now);
        one.answered_at = now + 5ms;
        ++under_way;
      }
    }
  }
  outcome.took = std::chrono::duration_cast<std::chrono::milliseconds>(now - begin);
  return outcome;
}

TEST(HostLimit, learns_how_often_a_host_may_be_asked) {
  struct Row {
    Bucket host;
    int requests;
  };
  for (const auto& [host, requests] :
       {Row{{10, 10}, 60}, Row{{10, 10}, 300}, Row{{30, 2}, 60}, Row{{20, 1}, 60}}) {
    const Outcome outcome = ask(host, requests);
    const double at_least = (requests - host.burst) / host.per_second;
    EXPECT_LE(outcome.refused, 15) << host.per_second;
    EXPECT_LE(outcome.most_refusals_of_one, 3) << host.per_second;
    EXPECT_LE(outcome.took / 1ms, long(2500 * at_least)) << host.per_second;
  }
  EXPECT_EQ(ask(Bucket{10'000, 10'000}, 2000).refused, 0);
}

}  // namespace
}  // namespace freshet::net
