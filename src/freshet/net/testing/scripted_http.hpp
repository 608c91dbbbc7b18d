// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/net/http.hpp"
#include "freshet/net/url.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <deque>
#include <initializer_list>
#include <string>
#include <variant>
#include <vector>

namespace freshet::net::testing {

/// What the fake answers: a response, or no answer at all.
using Outcome = std::variant<HttpResponse, TransportError>;

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

/// One expected request and what it gets. `request` is `METHOD /target`, or `METHOD https://…` when
/// the test cares which host is asked.
struct Exchange {
  std::string request;
  Outcome outcome;
};

/// Plays a script of exchanges in their order. A request that is not the next one fails the test.
class ScriptedHttp final : public HttpClient {
 public:
  ScriptedHttp(std::initializer_list<Exchange> script) : script_(script) {}

  Awaitable<HttpResponse> send(Ctx, HttpRequest request) override {
    requests_.push_back(request);
    const std::string asked = request.method + " " + request.url;
    if (script_.empty() || !is_expected(request)) {
      const std::string expected = script_.empty() ? "no further request" : script_.front().request;
      ADD_FAILURE() << "unexpected request: " << asked << "\n         expected: " << expected;
      throw Error(ErrorCode::internal, "unscripted request " + asked);
    }
    Outcome outcome = std::move(script_.front().outcome);
    script_.pop_front();
    if (auto* failure = std::get_if<TransportError>(&outcome)) {
      throw TransportError(*failure);
    }
    co_return std::get<HttpResponse>(std::move(outcome));
  }

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

  std::deque<Exchange> script_;
  std::vector<HttpRequest> requests_;
};

}  // namespace freshet::net::testing
