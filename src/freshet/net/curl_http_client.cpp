// SPDX-License-Identifier: Apache-2.0
#include "freshet/net/curl_http_client.hpp"

#include "freshet/base/await_on.hpp"
#include "freshet/net/curl_exchange.hpp"

#include <boost/asio/dispatch.hpp>
#include <fmt/format.h>

namespace freshet::net {
namespace {

using Exchange = std::shared_ptr<CurlExchange>;

[[noreturn]] void throw_wrong_length(const Url& url, std::uint64_t promised, bool is_short) {
  throw Error(
      ErrorCode::corrupt_data,
      fmt::format(
          "the content to send to '{}' is {} than the {} bytes that were announced",
          url.authority(),
          is_short ? "shorter" : "longer",
          promised));
}

/// Reads `source` and hands it to `exchange`. The last bytes of a known length go only after the
/// source has confirmed its end: one that fails there never gets accepted.
Awaitable<void> feed(Exchange exchange, ByteStream* source, std::optional<std::uint64_t> length) {
  std::uint64_t total = 0;
  std::size_t count = 0;
  for (bool is_end = false;;) {
    const asio::mutable_buffer room =
        co_await await_on(exchange->strand(), CurlExchange::offer(exchange, count, is_end));
    if (room.size() == 0) {
      break;
    }
    const std::uint64_t left = length ? *length - total : room.size();
    const asio::mutable_buffer wanted =
        asio::buffer(room, std::min<std::uint64_t>(left, room.size()));
    count = 0;
    if (left > 0) {
      count = co_await source->read(wanted);
    }
    total += count;
    is_end = count == 0;
    if (length && total == *length) {
      char more = 0;
      const std::size_t surplus = co_await source->read(asio::buffer(&more, 1));
      if (surplus != 0) {
        throw_wrong_length(exchange->url(), *length, false);
      }
      is_end = true;
    } else if (length && is_end) {
      throw_wrong_length(exchange->url(), *length, true);
    }
  }
  co_await detail::wait_until(Ctx::Clock::time_point::max());  // the answer decides
}

Awaitable<HttpResponse> start(Exchange exchange) {
  co_return co_await await_on(exchange->strand(), CurlExchange::start(exchange));
}

Awaitable<HttpResponse> start_and_feed(
    Exchange exchange, ByteStream* source, std::optional<std::uint64_t> length) {
  using namespace asio::experimental::awaitable_operators;
  auto outcome =
      co_await (detail::settle(start(exchange)) || detail::settle(feed(exchange, source, length)));
  if (outcome.index() == 1) {
    std::rethrow_exception(std::get<1>(outcome).failure);
  }
  auto& answer = std::get<0>(outcome);
  if (answer.failure) {
    std::rethrow_exception(answer.failure);
  }
  co_return std::move(*answer.value);
}

/// Owns its exchange, which ends with it.
class CurlStream final : public HttpStream {
 public:
  explicit CurlStream(Exchange exchange) : exchange_(std::move(exchange)) {}
  ~CurlStream() override {
    const auto strand = exchange_->strand();
    asio::dispatch(
        strand, [exchange = std::move(exchange_)] { exchange->end(CURLE_ABORTED_BY_CALLBACK); });
  }
  CurlStream(const CurlStream&) = delete;
  CurlStream& operator=(const CurlStream&) = delete;

  Awaitable<void> open(ByteStream* source, std::optional<std::uint64_t> length) {
    if (source == nullptr) {
      head_ = co_await start(exchange_);
    } else {
      head_ = co_await start_and_feed(exchange_, source, length);
    }
  }

  const HttpResponse& head() const override { return head_; }

  Awaitable<std::size_t> read(asio::mutable_buffer buffer) override {
    co_return co_await await_on(exchange_->strand(), CurlExchange::read(exchange_, buffer));
  }

 private:
  Exchange exchange_;
  HttpResponse head_;
};

/// The answer as a whole to a request whose body is a stream.
Awaitable<HttpResponse> gather(std::unique_ptr<HttpStream> stream, std::size_t max_bytes, Url url) {
  HttpResponse response = stream->head();
  try {
    response.body = co_await stream->read_all(max_bytes);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::too_large) {
      throw;
    }
    throw Error(
        ErrorCode::too_large,
        fmt::format("the answer of '{}' is longer than {} bytes", url.authority(), max_bytes));
  }
  co_return response;
}

}  // namespace

CurlHttpClient::CurlHttpClient(
    asio::any_io_executor executor, ConnectionSettings settings, EgressPolicy egress)
    : settings_(std::make_shared<const CurlSettings>(std::move(settings), std::move(egress))),
      driver_(std::make_shared<CurlDriver>(executor)) {}

CurlHttpClient::~CurlHttpClient() = default;

Awaitable<HttpResponse> CurlHttpClient::send(Ctx ctx, HttpRequest request) {
  if (request.body_stream != nullptr) {
    const std::size_t max_bytes = request.max_body_bytes;
    auto url = parse_url(request.url);
    auto stream = co_await open(ctx, std::move(request));
    co_return co_await gather(std::move(stream), max_bytes, std::move(url).value());
  }
  const auto exchange = std::make_shared<CurlExchange>(
      driver_, settings_, ctx, std::move(request), CurlTransfer::Mode::whole);
  co_return co_await await_on(driver_->strand(), CurlExchange::run(exchange));
}

Awaitable<std::unique_ptr<HttpStream>> CurlHttpClient::open(Ctx ctx, HttpRequest request) {
  ByteStream* const source = request.body_stream;
  const auto length = request.body_stream_length;
  auto stream = std::make_unique<CurlStream>(std::make_shared<CurlExchange>(
      driver_, settings_, ctx, std::move(request), CurlTransfer::Mode::stream));
  co_await stream->open(source, length);
  co_return stream;
}

}  // namespace freshet::net
