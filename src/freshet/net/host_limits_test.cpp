// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/host_limits.hpp"

#include "freshet/net/testing/run.hpp"
#include "freshet/net/testing/scripted_http.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace freshet::net {
namespace {

using namespace std::chrono_literals;
using Moment = Ctx::Clock::time_point;

HttpResponse answer(int status, HttpHeaders headers = {}) {
  HttpResponse response;
  response.status = status;
  response.headers = std::move(headers);
  return response;
}

const std::chrono::system_clock::time_point k_date{1'000'000s};

TEST(HostLimit, grows_by_one_for_as_many_good_answers_as_it_allows) {
  HostLimit limit;
  EXPECT_EQ(limit.allowed(), 8);
  for (int i = 0; i < 9; ++i) {
    limit.learn(limit.start(Moment()), answer(i == 0 ? 404 : 200), Moment(), k_date);
  }
  EXPECT_EQ(limit.allowed(), 9);
  for (int i = 0; i < 2000; ++i) {
    limit.learn(limit.start(Moment()), answer(200), Moment(), k_date);
  }
  EXPECT_EQ(limit.allowed(), 32);
}

TEST(HostLimit, halves_once_for_all_requests_that_were_under_way_together) {
  HostLimit limit;
  const auto first = limit.start(Moment());
  const auto second = limit.start(Moment());
  limit.learn(second, answer(429), Moment(), k_date);
  limit.learn(first, answer(503), Moment(), k_date);
  limit.learn_timeout(first);
  EXPECT_EQ(limit.allowed(), 4);
  limit.learn_timeout(limit.start(Moment()));
  EXPECT_EQ(limit.allowed(), 2);
  for (int i = 0; i < 5; ++i) {
    limit.learn(limit.start(Moment()), answer(429), Moment(), k_date);
  }
  EXPECT_EQ(limit.allowed(), 1);
}

TEST(HostLimit, pauses_for_as_long_as_the_host_asks) {
  struct Row {
    int status;
    HttpHeaders headers;
    std::optional<std::chrono::seconds> pause;
  };
  for (const Row& row : {
           Row{429, {{"Retry-After", "30"}}, 30s},
           Row{503, {{"Retry-After", "Mon, 12 Jan 1970 13:46:50 GMT"}}, 10s},
           Row{403, {{"Retry-After", "60"}}, 60s},  // GitHub's secondary limit
           Row{403, {{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", "1000090"}}, 90s},
           Row{429, {{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", "999"}}, 0s},
           Row{403, {{"x-ratelimit-remaining", "1"}, {"x-ratelimit-reset", "1000090"}}, {}},
           Row{403, {{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", "later"}}, {}},
           Row{429, {{"Retry-After", "soon"}}, {}},
           Row{200, {{"Retry-After", "30"}}, {}},
           Row{500, {{"Retry-After", "30"}}, {}},
       }) {
    HostLimit limit;
    const Moment now{1h};
    limit.learn(limit.start(Moment()), answer(row.status, row.headers), now, k_date);
    EXPECT_EQ(limit.paused_until(), row.pause ? now + *row.pause : Moment::min()) << row.status;
  }
}

TEST(HostLimit, is_not_touched_by_a_refusal_of_rights_or_an_error_of_the_server) {
  HostLimit limit;
  for (const int status : {403, 500, 502}) {
    limit.learn(limit.start(Moment()), answer(status), Moment(), k_date);
  }
  EXPECT_EQ(limit.allowed(), 8);
}

/// Answers only when told to.
class ManualHttp final : public HttpClient {
 public:
  explicit ManualHttp(asio::io_context& io) : io_(io) {}

  Awaitable<HttpResponse> send(Ctx, HttpRequest request) override {
    co_return co_await wait_for(std::move(request));
  }
  Awaitable<std::unique_ptr<HttpStream>> open(Ctx, HttpRequest request) override {
    HttpResponse response = co_await wait_for(std::move(request));
    response.body = "ab";
    co_return std::make_unique<testing::detail::ScriptedStream>(
        std::move(response), 1, std::nullopt);
  }

  /// Answers everything that waits.
  void answer_all(int status = 200, HttpHeaders headers = {}) {
    status_ = status;
    headers_ = std::move(headers);
    waiting_.cancel();
  }
  int asked() const { return asked_; }

 private:
  Awaitable<HttpResponse> wait_for(HttpRequest) {
    ++asked_;
    boost::system::error_code woken;
    co_await waiting_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
      throw boost::system::system_error(asio::error::operation_aborted);
    }
    co_return answer(status_, headers_);
  }

  asio::io_context& io_;
  asio::steady_timer waiting_{io_, asio::steady_timer::time_point::max()};
  int asked_ = 0;
  int status_ = 200;
  HttpHeaders headers_;
};

class LimitedHttpClientTest : public ::testing::Test {
 protected:
  static HttpRequest get(std::string url = "https://r.example/v2/") {
    HttpRequest request;
    request.url = std::move(url);
    return request;
  }

  void send(HttpRequest request, Ctx ctx = {}) {
    asio::co_spawn(
        io_,
        client_.send(ctx, std::move(request)),
        asio::bind_cancellation_slot(
            cancels_.emplace_back().slot(), [this](std::exception_ptr failure, HttpResponse) {
              ++done_;
              failure_ = failure;
            }));
    settle();
  }
  void open(HttpRequest request) {
    asio::co_spawn(
        io_,
        client_.open(Ctx{}, std::move(request)),
        [this](std::exception_ptr, std::unique_ptr<HttpStream> stream) {
          streams_.push_back(std::move(stream));
        });
    settle();
  }
  void settle() {
    io_.restart();
    io_.poll();
  }
  Error last_failure() const {
    if (failure_ == nullptr) {
      return Error(ErrorCode::internal, "nothing failed");
    }
    try {
      std::rethrow_exception(failure_);
    } catch (const Error& error) {
      return error;
    }
  }
  Awaitable<void> jump(Moment moment) {
    slept_until_.push_back(moment - start_);
    now_ = moment;
    co_return;
  }

  asio::io_context io_;
  Moment start_ = Ctx::Clock::now();
  Moment now_ = start_;
  std::vector<Ctx::Clock::duration> slept_until_;
  ManualHttp http_{io_};
  LimitedHttpClient client_{
      io_.get_executor(),
      http_,
      {[this] { return now_; },
       [] { return k_date; },
       [this](Moment moment) { return jump(moment); }}};
  std::deque<asio::cancellation_signal> cancels_;  // one for each `send`
  int done_ = 0;
  std::exception_ptr failure_;
  std::vector<std::unique_ptr<HttpStream>> streams_;
};

TEST_F(LimitedHttpClientTest, sends_to_a_host_only_as_much_at_once_as_it_allows) {
  for (int i = 0; i < 20; ++i) {
    send(get());
  }
  EXPECT_EQ(http_.asked(), 8);
  send(get("https://other.example/"));
  EXPECT_EQ(http_.asked(), 9);

  http_.answer_all();
  settle();
  EXPECT_EQ(done_, 9);
  EXPECT_EQ(http_.asked(), 9 + 8);  // 8 good answers, of which each counts for a little less

  http_.answer_all();
  settle();
  http_.answer_all();
  settle();
  EXPECT_EQ(done_, 21);
  EXPECT_EQ(failure_, nullptr);
}

TEST_F(LimitedHttpClientTest, counts_a_stream_until_it_was_read_or_is_gone) {
  for (int i = 0; i < 10; ++i) {
    open(get());
  }
  EXPECT_EQ(http_.asked(), 8);
  http_.answer_all();
  settle();
  ASSERT_EQ(streams_.size(), 8U);
  EXPECT_EQ(http_.asked(), 8);

  EXPECT_EQ(testing::run_on(io_, streams_[0]->read_all(10)), "ab");
  settle();
  EXPECT_EQ(http_.asked(), 9);

  streams_.erase(streams_.begin() + 1);
  settle();
  EXPECT_EQ(http_.asked(), 10);
}

TEST_F(LimitedHttpClientTest, lets_uploads_and_whole_answers_pass_the_streams_they_may_depend_on) {
  for (int i = 0; i < 9; ++i) {
    open(get());
  }
  EXPECT_EQ(http_.asked(), 8);
  send(get("https://r.example/token"));
  EXPECT_EQ(http_.asked(), 9);
  testing::TextStream body("x");
  for (int i = 0; i < 12; ++i) {
    HttpRequest upload = get();
    upload.body_stream = &body;
    open(upload);
  }
  EXPECT_EQ(http_.asked(), 21);
}

TEST_F(LimitedHttpClientTest, asks_nothing_while_the_host_wants_to_be_left_alone) {
  send(get());
  http_.answer_all(429, {{"Retry-After", "20"}});
  settle();
  EXPECT_TRUE(slept_until_.empty());

  send(get("https://other.example/"));
  EXPECT_TRUE(slept_until_.empty());
  send(get());

  EXPECT_EQ(slept_until_, (std::vector<Ctx::Clock::duration>{20s}));
  EXPECT_EQ(http_.asked(), 3);
}

TEST_F(LimitedHttpClientTest, says_how_long_the_host_wants_when_that_is_beyond_the_deadline) {
  send(get());
  http_.answer_all(429, {{"Retry-After", "120"}});
  settle();

  send(get(), Ctx{start_ + 60s});

  const Error error = last_failure();
  EXPECT_EQ(error.code(), ErrorCode::rate_limited);
  EXPECT_EQ(
      error.message(),
      "'r.example' takes no requests for another 120 s, which is longer than there is time");
  EXPECT_EQ(error.hint(), "try again later, or with credentials that have a higher rate limit");
  EXPECT_EQ(http_.asked(), 1);
}

TEST_F(LimitedHttpClientTest, does_not_wait_for_longer_than_anybody_would) {
  send(get());
  http_.answer_all(429, {{"Retry-After", "86400"}});
  settle();

  send(get());

  EXPECT_EQ(
      last_failure().message(),
      "'r.example' takes no requests for another 86400 s, which is longer than we wait");
  EXPECT_TRUE(slept_until_.empty());
}

TEST_F(LimitedHttpClientTest, frees_the_turn_of_a_request_that_is_cancelled) {
  for (int i = 0; i < 8; ++i) {
    send(get());
  }
  EXPECT_EQ(http_.asked(), 8);

  cancels_.back().emit(asio::cancellation_type::all);
  settle();
  EXPECT_EQ(done_, 1);

  send(get());
  EXPECT_EQ(http_.asked(), 9);
}

TEST_F(LimitedHttpClientTest, hands_a_turn_on_when_the_one_next_in_line_is_cancelled) {
  for (int i = 0; i < 9; ++i) {
    send(get());
  }
  cancels_.back().emit(asio::cancellation_type::all);
  send(get());
  EXPECT_EQ(done_, 1);

  http_.answer_all();
  settle();
  EXPECT_EQ(http_.asked(), 9);
}

TEST_F(LimitedHttpClientTest, hands_a_turn_on_when_those_next_in_line_cannot_wait_as_long) {
  for (int i = 0; i < 8; ++i) {
    send(get());
  }
  for (int i = 0; i < 4; ++i) {  // as many as are woken when the host allows half of the 8
    send(get(), Ctx{start_ + 60s});
  }
  send(get());

  http_.answer_all(429, {{"Retry-After", "120"}});
  settle();

  EXPECT_EQ(done_, 8 + 4);
  EXPECT_EQ(http_.asked(), 8 + 1);
}

TEST_F(LimitedHttpClientTest, gives_up_at_the_deadline_when_no_turn_comes) {
  for (int i = 0; i < 8; ++i) {
    send(get());
  }
  send(get(), Ctx{Ctx::Clock::now() - 1s});
  settle();
  EXPECT_EQ(last_failure().code(), ErrorCode::deadline_exceeded);
  EXPECT_EQ(last_failure().message(), "waiting for a turn to ask 'r.example' took too long");
  EXPECT_EQ(http_.asked(), 8);
}

TEST_F(LimitedHttpClientTest, frees_a_turn_that_came_too_late) {
  for (int i = 0; i < 9; ++i) {
    send(get());
  }
  http_.answer_all();
  cancels_.back().emit(asio::cancellation_type::all);  // its turn comes in this very moment
  settle();
  EXPECT_EQ(done_, 9);
  for (int i = 0; i < 9; ++i) {
    send(get());
  }
  EXPECT_GE(http_.asked(), 8 + 8);
}

TEST(LimitedHttp, leaves_a_malformed_url_to_the_client_behind_it) {
  testing::ScriptedHttp http{{"GET nonsense", testing::reply(200)}};
  asio::io_context io;
  LimitedHttpClient client(io.get_executor(), http);
  HttpRequest request;
  request.url = "nonsense";
  EXPECT_EQ(testing::run_on(io, client.send(Ctx{}, request)).status, 200);
}

}  // namespace
}  // namespace freshet::net
