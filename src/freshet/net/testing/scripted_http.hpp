// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/http.hpp"
#include "freshet/net/url.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace freshet::net::testing {

/// Gives the bytes of a text, a few at a time; then it ends, or throws what it was told to.
class TextStream : public ByteStream {
 public:
  explicit TextStream(
      std::string text,
      std::size_t piece_bytes = 1000,
      std::optional<TransportError> failure = std::nullopt)
      : text_(std::move(text)), piece_bytes_(piece_bytes), failure_(std::move(failure)) {}

  Awaitable<std::size_t> read(asio::mutable_buffer buffer) override {
    const std::size_t count = std::min({buffer.size(), piece_bytes_, text_.size() - read_bytes_});
    if (count == 0 && failure_) {
      throw TransportError(*failure_);
    }
    std::memcpy(buffer.data(), text_.data() + read_bytes_, count);
    read_bytes_ += count;
    co_return count;
  }

 private:
  std::string text_;
  std::size_t piece_bytes_;
  std::optional<TransportError> failure_;
  std::size_t read_bytes_ = 0;
};

/// An answer whose body breaks off after what `response` has of it.
struct Broken {
  HttpResponse response;
  TransportError failure;
};

/// What the fake answers: a response, one that breaks off, or no answer at all.
using Outcome = std::variant<HttpResponse, TransportError, Broken>;

inline Outcome reply(int status, std::string body = {}, HttpHeaders headers = {}) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  response.headers = std::move(headers);
  return response;
}

inline Outcome no_answer(TransportProblem kind, std::string message) {
  return TransportError(kind, ErrorCode::unavailable, std::move(message));
}

/// `answer` with only the first `bytes` of its body, after which the connection is lost.
inline Outcome cut_after(
    std::size_t bytes, Outcome answer, TransportProblem kind = TransportProblem::closed) {
  HttpResponse response = std::get<HttpResponse>(std::move(answer));
  response.body.resize(std::min(bytes, response.body.size()));
  return Broken{
      std::move(response), TransportError(kind, ErrorCode::unavailable, "the connection was lost")};
}

/// One expected request and what it gets. `request` is `METHOD /target`, or `METHOD https://…` when
/// the test cares which host is asked. With `upload_bytes` the answer (or its absence) comes after
/// so many bytes of a streamed body; the rest is not read.
struct Exchange {
  std::string request;
  Outcome outcome;
  std::optional<std::size_t> upload_bytes = std::nullopt;
};

namespace detail {

class ScriptedStream final : public HttpStream {
 public:
  ScriptedStream(HttpResponse response, std::size_t piece, std::optional<TransportError> failure)
      : head_(std::move(response)),
        body_(std::exchange(head_.body, {}), piece, std::move(failure)) {}

  const HttpResponse& head() const override { return head_; }
  Awaitable<std::size_t> read(asio::mutable_buffer buffer) override { return body_.read(buffer); }

 private:
  HttpResponse head_;
  TextStream body_;
};

}  // namespace detail

/// Plays a script of exchanges in their order. A request that is not the next one fails the test.
/// A streamed body is read and recorded as `body` of the request.
class ScriptedHttp final : public HttpClient {
 public:
  ScriptedHttp(std::initializer_list<Exchange> script) : script_(script) {}

  Awaitable<HttpResponse> send(Ctx, HttpRequest request) override {
    Outcome outcome = co_await play(std::move(request));
    if (auto* broken = std::get_if<Broken>(&outcome)) {
      throw TransportError(broken->failure);
    }
    co_return std::get<HttpResponse>(std::move(outcome));
  }

  Awaitable<std::unique_ptr<HttpStream>> open(Ctx, HttpRequest request) override {
    Outcome outcome = co_await play(std::move(request));
    std::optional<TransportError> failure;
    if (auto* broken = std::get_if<Broken>(&outcome)) {
      failure = broken->failure;
      HttpResponse response = std::move(broken->response);
      outcome = std::move(response);
    }
    co_return std::make_unique<detail::ScriptedStream>(
        std::get<HttpResponse>(std::move(outcome)), piece_bytes_, std::move(failure));
  }

  /// In how large pieces bodies are read from streams.
  void set_piece_bytes(std::size_t bytes) { piece_bytes_ = bytes; }
  /// Whether every exchange of the script took place.
  bool finished() const { return script_.empty(); }
  /// All requests so far, oldest first.
  const std::vector<HttpRequest>& requests() const { return requests_; }
  /// The Authorization header of request number `index`; empty when it had none.
  std::string authorization(std::size_t index) const {
    return requests_.at(index).headers.find("Authorization").value_or("");
  }

 private:
  bool is_expected(const HttpRequest& request) const {
    const auto url = parse_url(request.url);
    const std::string& expected = script_.front().request;
    return expected == request.method + " " + request.url ||
           (url && expected == request.method + " " + url->target());
  }

  /// Records the request and gives what the script has for it; throws when that is no answer.
  Awaitable<Outcome> play(HttpRequest request) {
    const std::string asked = request.method + " " + request.url;
    ByteStream* const source = std::exchange(request.body_stream, nullptr);
    const bool is_next = !script_.empty() && is_expected(request);
    requests_.push_back(std::move(request));
    if (!is_next) {
      const std::string expected = script_.empty() ? "no further request" : script_.front().request;
      ADD_FAILURE() << "unexpected request: " << asked << "\n         expected: " << expected;
      throw Error(ErrorCode::internal, "unscripted request " + asked);
    }
    Exchange exchange = std::move(script_.front());
    script_.pop_front();
    if (source != nullptr) {
      const std::size_t number = requests_.size() - 1;
      co_await drain(source, number, exchange.upload_bytes.value_or(std::string::npos));
    }
    if (auto* failure = std::get_if<TransportError>(&exchange.outcome)) {
      throw TransportError(*failure);
    }
    co_return std::move(exchange.outcome);
  }

  Awaitable<void> drain(ByteStream* source, std::size_t number, std::size_t limit) {
    std::vector<char> piece(piece_bytes_);
    for (std::size_t total = 0; total < limit;) {
      const std::size_t wanted = std::min(piece.size(), limit - total);
      const std::size_t count = co_await source->read(asio::buffer(piece.data(), wanted));
      if (count == 0) {
        co_return;
      }
      requests_[number].body.append(piece.data(), count);
      total += count;
    }
  }

  std::deque<Exchange> script_;
  std::vector<HttpRequest> requests_;
  std::size_t piece_bytes_ = 1000;
};

}  // namespace freshet::net::testing
