// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"
#include "freshet/engine/docker/endpoint.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>
#include <vector>

namespace freshet::engine::testing {

/// What the fake engine answers to one request.
struct Scripted {
  enum class Then {
    next_request,
    close,
    stay,  // keep the connection and collect what comes over it
  };

  std::string request;  // method and target: `GET /v1.41/info`
  /// Sent one by one, each only after the client has taken the one before off its socket.
  std::vector<std::string> pieces;
  Then then = Then::next_request;

  Scripted and_close() &&;
  Scripted and_stay() &&;
};

/// An answer with a Content-Length. `headers` are whole lines, each with its CRLF.
Scripted reply(std::string request, unsigned status, std::string body, std::string headers = {});
/// The answer 200 with each of `pieces` as a chunk, sent on its own.
Scripted chunked(std::string request, std::vector<std::string> pieces);
/// Bytes as they are.
Scripted raw(std::string request, std::vector<std::string> pieces);
/// The answer to the first request of every client.
Scripted ping(std::string api_version = "1.41");

/// A scripted Docker engine on a unix socket in a directory of its own, run by the test's executor.
///
/// An answer serves the first request that matches it, and only once. A request without one fails
/// the test.
class FakeEngine {
 public:
  FakeEngine(asio::any_io_executor executor, std::vector<Scripted> script);
  ~FakeEngine();

  Endpoint endpoint() const;
  /// Request lines in the order of their arrival.
  const std::vector<std::string>& requests() const;
  /// The requests with head and body, as they came.
  const std::vector<std::string>& messages() const;
  /// What came over connections that stay.
  const std::string& collected() const;
  int connections() const;
  /// Whether every answer has been used.
  bool is_finished() const;
  /// Removes the socket and closes every connection: the engine is gone.
  void stop();

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace freshet::engine::testing
