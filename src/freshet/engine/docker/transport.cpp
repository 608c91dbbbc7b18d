// SPDX-License-Identifier: Apache-2.0
#include "freshet/engine/docker/transport.hpp"

#include "freshet/base/text.hpp"
#include "freshet/engine/docker/errors.hpp"
#include "freshet/engine/docker/tls_tunnel.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace freshet::engine {
namespace {

constexpr std::size_t k_max_body_bytes = 64 * 1024 * 1024;  // a list of all containers is far below
constexpr std::size_t k_max_head_bytes = 64 * 1024;
constexpr std::size_t k_max_idle = 8;
constexpr std::size_t k_upload_piece_bytes = 256UL * 1024;
constexpr auto k_connect_limit = std::chrono::seconds(15);

/// The connection ended before the answer did.
struct ConnectionLost {
  bool anything_received = false;
  boost::system::error_code cause;  // may be none
};

struct MalformedAnswer {};

bool may_be_repeated(std::string_view method) {
  return method == "GET" || method == "DELETE";
}

boost::system::error_code cause_of(
    const Connection& connection, const boost::system::error_code& code) {
  const auto failure =
      connection.tunnel() ? connection.tunnel()->failure() : boost::system::error_code();
  return failure ? failure : code;
}

/// Throws what a failed read or write on the connection means.
[[noreturn]] void throw_lost(
    const Connection& connection,
    bool anything_received,
    const boost::system::system_error& failure) {
  if (failure.code() == asio::error::operation_aborted) {
    throw failure;  // cancelled by ourselves
  }
  throw ConnectionLost{anything_received, cause_of(connection, failure.code())};
}

Awaitable<void> send(Connection& connection, const Secret& message) {
  try {
    co_await connection.send(message.reveal());
  } catch (const boost::system::system_error& failure) {
    throw_lost(connection, false, failure);
  }
}

/// Sends what `body` gives. An engine that has heard enough answers and closes: no failure here.
Awaitable<void> send_stream(Connection& connection, net::ByteStream& body) {
  std::vector<char> piece(k_upload_piece_bytes);
  for (;;) {
    const std::size_t count = co_await body.read(asio::buffer(piece));
    if (count == 0) {
      co_return;
    }
    try {
      const std::string_view bytes(piece.data(), count);
      co_await connection.send(bytes);
    } catch (const boost::system::system_error& failure) {
      if (failure.code() == asio::error::operation_aborted) {
        throw;
      }
      co_return;
    }
  }
}

/// Reads more of the answer: the rest of its head, or at least one byte of its body.
Awaitable<void> read_on(AnswerStream& stream) {
  Connection& connection = *stream.connection;
  AnswerParser& parser = *stream.parser;
  const bool received = parser.has_started() || !connection.unread().empty();
  bool is_open = false;
  try {
    is_open = co_await connection.fill();
  } catch (const boost::system::system_error& failure) {
    throw_lost(connection, received, failure);
  }
  const AnswerParser::State state = is_open ? parser.feed(connection.unread()) : parser.feed_end();
  if (state == AnswerParser::State::malformed) {
    throw MalformedAnswer();
  }
  if (!is_open && state != AnswerParser::State::done) {
    throw ConnectionLost{received, cause_of(connection, {})};
  }
}

/// Turns what is thrown below this file's surface into an `Error`.
template <class T>
Awaitable<T> translated(const Endpoint& endpoint, std::string action, Awaitable<T> operation) {
  try {
    co_return co_await std::move(operation);
  } catch (const ConnectionLost& lost) {
    throw is_tls_alert(lost.cause) ? tls_refused(endpoint, lost.cause) : went_away(lost.cause);
  } catch (const MalformedAnswer&) {
    throw malformed_answer(endpoint, action);
  } catch (const boost::system::system_error& failure) {
    if (failure.code() == asio::error::operation_aborted) {
      throw;
    }
    throw went_away(failure.code());
  }
}

Awaitable<std::string> next_piece(AnswerStream& stream) {
  while (stream.parser->body_size() == 0 && !stream.parser->is_done()) {
    co_await read_on(stream);
  }
  co_return stream.parser->take_body();
}

Ctx for_connecting(Ctx ctx) {
  return ctx.within(k_connect_limit);
}

/// What every call does at this file's surface: it waits no longer than `ctx` and throws `Error`.
template <class T>
Awaitable<T> bounded(
    Ctx ctx, const Endpoint& endpoint, std::string action, Awaitable<T> operation) {
  std::string what = fmt::format("waiting for the Docker engine to {}", action);
  auto work = translated(endpoint, std::move(action), std::move(operation));
  co_return co_await with_deadline(ctx, std::move(what), std::move(work));
}

}  // namespace

Transport::Transport(asio::any_io_executor executor, Endpoint endpoint)
    : executor_(std::move(executor)), endpoint_(std::move(endpoint)) {}

Transport::~Transport() {
  for (const auto& released : released_) {
    if (const auto tunnel = released.lock()) {
      tunnel->close();
    }
  }
}

Awaitable<EngineAnswer> Transport::call(Ctx ctx, EngineRequest request) {
  std::string action = request.action;
  EngineAnswer answer =
      co_await bounded(ctx, endpoint_, std::move(action), ask(std::move(request), true));
  give_back(std::move(answer.stream));
  co_return answer;
}

Awaitable<EngineAnswer> Transport::open(Ctx ctx, EngineRequest request) {
  std::string action = request.action;
  co_return co_await bounded(ctx, endpoint_, std::move(action), ask(std::move(request), false));
}

Awaitable<EngineAnswer> Transport::ask(EngineRequest request, bool whole) {
  ApiVersion version;
  if (request.is_versioned) {
    version = std::min((co_await greet_now()).newest, k_max_api_version);
  }
  EngineAnswer answer = co_await ask_twice(request, version, whole);
  const bool is_accepted =
      std::find(request.accepted.begin(), request.accepted.end(), answer.status) !=
      request.accepted.end();
  if (answer.status >= 300 && !is_accepted) {
    give_back(std::move(answer.stream));
    throw refusal(request, answer);
  }
  co_return answer;
}

Awaitable<EngineAnswer> Transport::ask_twice(
    const EngineRequest& request, const ApiVersion& version, bool whole) {
  for (bool may_reuse = request.body_stream == nullptr;; may_reuse = false) {
    std::unique_ptr<Connection> connection = may_reuse ? take_idle() : nullptr;
    const bool was_idle = connection != nullptr;
    if (!was_idle) {
      connection = co_await connect_new(Ctx());
    }
    try {
      co_return co_await attempt(request, version, whole, std::move(connection));
    } catch (const ConnectionLost& lost) {
      if (!was_idle || (lost.anything_received && !may_be_repeated(request.method))) {
        throw;
      }
    }
  }
}

Awaitable<EngineAnswer> Transport::attempt(
    const EngineRequest& request,
    const ApiVersion& version,
    bool whole,
    std::unique_ptr<Connection> connection) {
  EngineAnswer answer;
  answer.stream.connection = std::move(connection);
  answer.stream.parser = std::make_unique<AnswerParser>();
  const Secret message = make_message(request, version, endpoint_);
  co_await send(*answer.stream.connection, message);
  if (request.body_stream != nullptr) {
    co_await send_stream(*answer.stream.connection, *request.body_stream);
  }
  while (!answer.stream.parser->has_head()) {
    co_await read_on(answer.stream);
  }
  answer.status = answer.stream.parser->status();
  if (whole || answer.status >= 300) {
    answer.body = co_await read_all(answer.stream, request.action);
  }
  co_return answer;
}

Awaitable<std::string> Transport::read_all(AnswerStream& stream, const std::string& action) {
  std::string body;
  for (;;) {
    const std::string piece = co_await next_piece(stream);
    if (piece.empty()) {
      co_return body;
    }
    if (body.size() + piece.size() > k_max_body_bytes) {
      throw Error(
          ErrorCode::too_large,
          fmt::format(
              "the Docker engine's answer is larger than the limit of {} bytes when asked to {}",
              k_max_body_bytes,
              action));
    }
    body += piece;
  }
}

Awaitable<std::string> Transport::read_some(AnswerStream& stream) {
  co_return co_await translated(endpoint_, "go on with its answer", next_piece(stream));
}

Awaitable<std::string> Transport::read_rest(Ctx ctx, AnswerStream& stream, std::string action) {
  auto reading = read_all(stream, action);
  co_return co_await bounded(ctx, endpoint_, action, std::move(reading));
}

void Transport::give_back(AnswerStream stream) {
  if (!stream.connection || !stream.parser->is_done() || !stream.parser->keeps_alive() ||
      !stream.connection->unread().empty()) {
    return;
  }
  const std::lock_guard lock(mutex_);
  if (idle_.size() < k_max_idle) {
    idle_.push_back(std::move(stream.connection));
  }
}

void Transport::close_idle() {
  const std::lock_guard lock(mutex_);
  idle_.clear();
}

std::unique_ptr<Connection> Transport::take_idle() {
  const std::lock_guard lock(mutex_);
  while (!idle_.empty()) {
    std::unique_ptr<Connection> connection = std::move(idle_.back());
    idle_.pop_back();
    if (connection->is_idle()) {
      return connection;
    }
  }
  return nullptr;
}

Awaitable<std::unique_ptr<Connection>> Transport::hijack(Ctx ctx, EngineRequest request) {
  std::string action = request.action;
  co_return co_await bounded(ctx, endpoint_, std::move(action), hijack_now(std::move(request)));
}

Awaitable<std::unique_ptr<Connection>> Transport::hijack_now(EngineRequest request) {
  EngineAnswer answer = co_await ask(std::move(request), false);
  AnswerParser& parser = *answer.stream.parser;
  // Without a proxy's interference it is 101; 200 with an open end is the older way to say it.
  if (answer.status != 101 && !parser.is_open_ended()) {
    throw MalformedAnswer();
  }
  answer.stream.connection->unread().insert(0, parser.take_body());
  co_return std::move(answer.stream.connection);
}

Awaitable<std::unique_ptr<Connection>> Transport::hijack_exactly(Ctx ctx, EngineRequest request) {
  std::string action = request.action;
  co_return co_await bounded(
      ctx, endpoint_, std::move(action), hijack_exactly_now(std::move(request)));
}

Awaitable<std::unique_ptr<Connection>> Transport::hijack_exactly_now(EngineRequest request) {
  AnswerStream stream;
  stream.connection = co_await connect_new(Ctx());
  stream.parser = std::make_unique<AnswerParser>();
  Connection& connection = *stream.connection;
  const Secret message = make_message(request, k_max_api_version, endpoint_);
  co_await send(connection, message);
  while (!connection.unread().ends_with("\r\n\r\n")) {
    if (connection.unread().size() > k_max_head_bytes) {
      throw MalformedAnswer();
    }
    bool has_more = false;
    try {
      has_more = co_await connection.fill_head();
    } catch (const boost::system::system_error& failure) {
      throw_lost(connection, !connection.unread().empty(), failure);
    }
    if (!has_more) {
      throw ConnectionLost{true, cause_of(connection, {})};
    }
  }
  if (stream.parser->feed(connection.unread()) == AnswerParser::State::malformed) {
    throw MalformedAnswer();
  }
  EngineAnswer answer;
  answer.status = stream.parser->status();
  if (answer.status == 101) {
    co_return std::move(stream.connection);
  }
  answer.body = co_await read_all(stream, request.action);
  if (answer.status == 404) {
    co_return nullptr;
  }
  throw refusal(request, answer);
}

Awaitable<std::unique_ptr<Connection>> Transport::connect_new(Ctx ctx) {
  std::string what = fmt::format("connecting to the Docker engine at {}", endpoint_.to_string());
  co_return co_await with_deadline(
      for_connecting(ctx), std::move(what), connect(executor_, endpoint_));
}

UniqueFd Transport::release(std::unique_ptr<Connection> connection) {
  if (connection->tunnel()) {
    const std::lock_guard lock(mutex_);
    std::erase_if(released_, [](const auto& released) { return released.expired(); });
    released_.push_back(connection->tunnel());
  }
  return connection->release();
}

Awaitable<EngineGreeting> Transport::greet(Ctx ctx) {
  co_return co_await bounded(ctx, endpoint_, "answer a ping", greet_now());
}

Awaitable<EngineGreeting> Transport::greet_now() {
  {
    const std::lock_guard lock(mutex_);
    if (greeting_) {
      co_return *greeting_;
    }
  }
  EngineRequest request;
  request.path = "/_ping";
  request.action = "answer a ping";
  request.is_versioned = false;
  EngineAnswer answer = co_await ask(std::move(request), true);
  const AnswerParser& head = *answer.stream.parser;
  const std::optional<ApiVersion> newest = ApiVersion::parse(head.header("api-version"));
  if (!newest) {
    throw MalformedAnswer();
  }
  if (*newest < k_min_api_version) {
    throw engine_too_old(endpoint_, newest->to_string());
  }
  const EngineGreeting greeting{*newest, std::string(head.header("builder-version"))};
  give_back(std::move(answer.stream));
  const std::lock_guard lock(mutex_);
  greeting_ = greeting;
  co_return greeting;
}

Error Transport::refusal(const EngineRequest& request, const EngineAnswer& answer) const {
  // "client version 1.47 is too old. Minimum supported API version is 1.52, please upgrade …"
  constexpr std::string_view k_too_old = "Minimum supported API version is ";
  const std::size_t at = answer.body.find(k_too_old);
  if (answer.status == 400 && at != std::string::npos) {
    const std::string_view rest = std::string_view(answer.body).substr(at + k_too_old.size());
    std::string_view minimum = rest.substr(0, rest.find_first_not_of("0123456789."));
    if (minimum.ends_with('.')) {
      minimum.remove_suffix(1);
    }
    return engine_too_new(endpoint_, minimum);
  }
  return refused(request.action, request.subject, answer.status, answer.body);
}

}  // namespace freshet::engine
