// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"
#include "freshet/net/byte_stream.hpp"

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace freshet::net {

/// Header fields in the order in which they were added; names compare without regard to case.
class HttpHeaders {
 public:
  using Field = std::pair<std::string, std::string>;

  HttpHeaders() = default;
  HttpHeaders(std::initializer_list<Field> fields);

  /// Throws internal when name or value holds a line break: it would start another field.
  void add(std::string name, std::string value);
  /// Replaces every field of this name.
  void set(std::string_view name, std::string value);
  /// The first of this name.
  std::optional<std::string> find(std::string_view name) const;
  std::vector<std::string> find_all(std::string_view name) const;
  const std::vector<Field>& fields() const { return fields_; }

 private:
  std::vector<Field> fields_;
};

struct HttpRequest {
  static constexpr std::size_t k_default_max_body_bytes = 1024UL * 1024;
  static constexpr std::chrono::seconds k_default_slow_limit{120};
  /// In bytes a second. A modem is faster; who is slower than this wants to hold us up.
  static constexpr std::uint64_t k_lowest_rate = 64;

  std::string method = "GET";
  std::string url;  // absolute, http or https
  HttpHeaders headers;
  std::string body;
  /// Read once, while it is sent, instead of `body`; borrowed until the answer's header is there.
  /// What it throws ends the request and is thrown on.
  ByteStream* body_stream = nullptr;
  /// Length of `body_stream` in bytes; absent: sent in chunks, as long as it turns out to be.
  std::optional<std::uint64_t> body_stream_length;
  /// For `send`: a longer answer ends the transfer with too_large, so memory stays bounded.
  std::size_t max_body_bytes = k_default_max_body_bytes;
  /// Refuse to connect to a loopback, private or otherwise internal address, whatever the name
  /// resolved to. Not enforced behind a proxy, which resolves names itself.
  bool refuse_internal_peer = false;
  /// No byte in either direction for so long ends the transfer with `timed_out`. A transfer as a
  /// whole may take as long as the deadline lets it.
  std::chrono::seconds stall_limit{60};
  /// For as long an answer that does not stream, and the header of one that does, may take to come
  /// once the request was sent; and over so long a transfer must move `k_lowest_rate`. Else it ends
  /// with `timed_out`.
  std::chrono::milliseconds slow_limit{k_default_slow_limit};
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers;
  std::string body;
  std::string peer_address;  // numeric; empty when unknown (and in fakes)
};

/// What kept an answer from coming.
enum class TransportProblem {
  name_not_resolved,
  refused,
  tls,
  timed_out,
  closed,
  forbidden,  // by the egress policy: nothing was sent
  other,
};

/// No HTTP answer came: the message names the host and says why.
class TransportError : public Error {
 public:
  TransportError(TransportProblem kind, ErrorCode code, std::string message, std::string hint = {});

  TransportProblem kind() const { return kind_; }

 private:
  TransportProblem kind_;
};

/// An answer whose header is there (`head`, without body) and whose body is yet to be read. At most
/// a bounded part of it is held in memory: the sender waits for the reader.
class HttpStream : public ByteStream {
 public:
  virtual const HttpResponse& head() const = 0;
  /// The rest of the body as text, for refusals and other short ones; throws too_large beyond
  /// `max_bytes`, deadline_exceeded when it takes longer than a short answer may.
  Awaitable<std::string> read_all(std::size_t max_bytes);

 private:
  Awaitable<std::string> gather(std::size_t max_bytes);
};

/// Sends single HTTP requests. Redirects are answers like any other and are never followed, there
/// are no cookies, and every status code is an answer, not a failure.
class HttpClient {
 public:
  virtual ~HttpClient() = default;

  /// Throws: TransportError (no answer; `deadline_exceeded` when the deadline of `ctx` passed, and
  /// only then), too_large (header or body beyond its limit), upstream_denied (refused internal
  /// peer). Cancelling aborts the transfer.
  virtual Awaitable<HttpResponse> send(Ctx ctx, HttpRequest request) = 0;
  /// Sends and gives the answer as soon as its header is there. Throws as `send`, and so does
  /// reading the stream. The deadline of `ctx` holds for the body as well.
  virtual Awaitable<std::unique_ptr<HttpStream>> open(Ctx ctx, HttpRequest request) = 0;
};

}  // namespace freshet::net
