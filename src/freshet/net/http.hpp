// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "freshet/base/async.hpp"

#include <initializer_list>
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

  std::string method = "GET";
  std::string url;  // absolute, http or https
  HttpHeaders headers;
  std::string body;
  /// A longer answer ends the transfer with too_large, so memory stays bounded.
  std::size_t max_body_bytes = k_default_max_body_bytes;
  /// Refuse to connect to a loopback, private or otherwise internal address, whatever the name
  /// resolved to. Not enforced behind a proxy, which resolves names itself.
  bool refuse_internal_peer = false;
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers;
  std::string body;
  std::string peer_address;  // numeric; empty when unknown (and in fakes)
};

/// What kept an answer from coming.
enum class TransportProblem { name_not_resolved, refused, tls, timed_out, closed, other };

/// No HTTP answer came: the message names the host and says why.
class TransportError : public Error {
 public:
  TransportError(TransportProblem kind, ErrorCode code, std::string message, std::string hint = {});

  TransportProblem kind() const { return kind_; }

 private:
  TransportProblem kind_;
};

/// Sends single HTTP requests. Redirects are answers like any other and are never followed, there
/// are no cookies, and every status code is an answer, not a failure.
class HttpClient {
 public:
  virtual ~HttpClient() = default;

  /// Throws: TransportError (no answer; `deadline_exceeded` when the deadline of `ctx` passed),
  /// too_large (header or body beyond its limit), upstream_denied (refused internal peer).
  /// Cancelling aborts the transfer.
  virtual Awaitable<HttpResponse> send(Ctx ctx, HttpRequest request) = 0;
};

}  // namespace freshet::net
