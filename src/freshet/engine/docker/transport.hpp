// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"
#include "freshet/engine/docker/connection.hpp"
#include "freshet/engine/docker/http.hpp"
#include "freshet/engine/docker/request_message.hpp"
#include "freshet/engine/docker/version.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::engine {

class TlsTunnel;

/// An answer whose head has arrived and whose body may still come.
struct AnswerStream {
  std::unique_ptr<Connection> connection;
  std::unique_ptr<AnswerParser> parser;
};

/// An answer with a status below 300, or one that the request accepts.
struct EngineAnswer {
  unsigned status = 0;
  std::string body;  // when it was asked for as a whole
  AnswerStream stream;  // else
};

/// What the engine says about itself when pinged.
struct EngineGreeting {
  ApiVersion newest;
  std::string builder_version;
};

/// Requests and answers over a small pool of connections, with the API version agreed on.
///
/// A request that meets a connection which the engine has closed meanwhile is sent once more over a
/// new one, if nothing has been received or its method may be repeated. Thread-safe.
class Transport {
 public:
  Transport(asio::any_io_executor executor, Endpoint endpoint);
  /// Closes what `release` gave away, where that is still possible (TLS).
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  const Endpoint& endpoint() const { return endpoint_; }

  /// The answer with its whole body. Throws: what `refused` makes of its status, too_large (a body
  /// over 64 MiB), unavailable, deadline_exceeded, corrupt_data (not HTTP).
  Awaitable<EngineAnswer> call(Ctx ctx, EngineRequest request);
  /// The same with the body still to come, by `read_some`.
  Awaitable<EngineAnswer> open(Ctx ctx, EngineRequest request);
  /// The next piece of a body; empty at its end. The caller bounds the wait.
  Awaitable<std::string> read_some(AnswerStream& stream);
  /// All that is left of a body, within the limit of `call`. `action` as in a request.
  Awaitable<std::string> read_rest(Ctx ctx, AnswerStream& stream, std::string action);
  /// Takes back the connection of an answer, if it has been read to its end.
  void give_back(AnswerStream stream);
  /// Closes what was given back.
  void close_idle();

  /// The connection behind `101 Switching Protocols`; bytes that arrived with the head are in its
  /// `unread()`.
  Awaitable<std::unique_ptr<Connection>> hijack(Ctx ctx, EngineRequest request);
  /// The same over a new connection, with all bytes behind the head left in the socket for whoever
  /// takes its descriptor. nullptr for 404.
  Awaitable<std::unique_ptr<Connection>> hijack_exactly(Ctx ctx, EngineRequest request);
  Awaitable<std::unique_ptr<Connection>> connect_new(Ctx ctx);
  /// Gives up the connection's descriptor: non-blocking, close-on-exec.
  UniqueFd release(std::unique_ptr<Connection> connection);

  /// One `GET /_ping`, the first time. Throws: unsupported (no API version in common).
  Awaitable<EngineGreeting> greet(Ctx ctx);

 private:
  Awaitable<EngineAnswer> ask(EngineRequest request, bool whole);
  Awaitable<EngineAnswer> ask_twice(
      const EngineRequest& request, const ApiVersion& version, bool whole);
  Awaitable<EngineAnswer> attempt(
      const EngineRequest& request,
      const ApiVersion& version,
      bool whole,
      std::unique_ptr<Connection> connection);
  Awaitable<EngineGreeting> greet_now();
  Awaitable<std::string> read_all(AnswerStream& stream, const std::string& action);
  Awaitable<std::unique_ptr<Connection>> hijack_now(EngineRequest request);
  Awaitable<std::unique_ptr<Connection>> hijack_exactly_now(EngineRequest request);
  Error refusal(const EngineRequest& request, const EngineAnswer& answer) const;
  std::unique_ptr<Connection> take_idle();

  asio::any_io_executor executor_;
  Endpoint endpoint_;
  std::mutex mutex_;  // guards what follows
  std::vector<std::unique_ptr<Connection>> idle_;
  std::optional<EngineGreeting> greeting_;
  std::vector<std::weak_ptr<TlsTunnel>> released_;
};

}  // namespace freshet::engine
